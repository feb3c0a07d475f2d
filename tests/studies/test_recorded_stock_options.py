"""Alerts on recorded stock options, against the raw files read and reckoned a second time.

Nothing here uses the package's reading, signing or pricing: zip members are split by hand, the
volatility is found by Brent's method, delta is that of Black-76.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from scipy.optimize import brentq
from typer.testing import CliRunner

from hedgeflow.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)
OPEN, CLOSE = timedelta(hours=9, minutes=30), timedelta(hours=16)


@dataclass(frozen=True)
class RawBar:
    """One line of a minute file: its start after midnight, and the numbers after it."""

    at: timedelta
    fields: tuple[float, ...]


@dataclass(frozen=True)
class RawDay:
    """The raw files of one underlying on one day."""

    folder: Path
    ticker: str
    day: date

    def lines(self, kind: str, member: str) -> list[RawBar]:
        """Return the lines of a member of an archive, empty numbers as NaN."""
        folder, name = kind.split("/")
        archive = self.folder / folder / "usa" / "minute" / self.ticker
        (path,) = archive.glob(f"{self.day:%Y%m%d}_{name}.zip")
        with ZipFile(path) as opened:
            if member not in opened.namelist():
                return []
            rows = [line.split(",") for line in opened.read(member).decode().splitlines()]
        return [
            RawBar(
                timedelta(milliseconds=int(at)),
                tuple(float(each) if each else math.nan for each in rest),
            )
            for at, *rest in rows
        ]

    def option(self, symbol: str, kind: str) -> list[RawBar]:
        """Return the minutes of an option, named as OPRA does."""
        right = "call" if symbol[12] == "C" else "put"
        strike, expiry = int(symbol[13:]) * 10, f"20{symbol[6:12]}"
        member = (
            f"{self.day:%Y%m%d}_{self.ticker}_minute_{kind}_american_{right}_{strike}_{expiry}.csv"
        )
        return self.lines(f"option/{kind}_american", member)

    def stock(self, kind: str) -> list[RawBar]:
        """Return the minutes of the stock."""
        member = f"{self.day:%Y%m%d}_{self.ticker}_minute_{kind}.csv"
        return self.lines(f"equity/{kind}", member)

    def stamp(self, at: timedelta) -> str:
        """Return a time after midnight in New York as UTC."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=NEW_YORK)
        return (midnight.astimezone(UTC) + at).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def last_until(bars: list[RawBar], at: timedelta) -> RawBar | None:
    return next((bar for bar in reversed(bars) if bar.at <= at), None)


def black_delta(call: bool, spot: float, strike: float, price: float, years: float) -> float:
    """Return the undiscounted Black-76 delta at the volatility that gives the price."""

    def normal(x: float) -> float:
        return math.erfc(-x / math.sqrt(2.0)) / 2.0

    def d1(volatility: float) -> float:
        deviation = volatility * math.sqrt(years)
        return math.log(spot / strike) / deviation + deviation / 2.0

    def surplus(volatility: float) -> float:
        first = d1(volatility)
        second = first - volatility * math.sqrt(years)
        side = 1.0 if call else -1.0
        return side * (spot * normal(side * first) - strike * normal(side * second)) - price

    intrinsic = max(0.0, spot - strike if call else strike - spot)
    if price <= intrinsic:
        moneyness = 0.5 if spot == strike else float(spot > strike)
        return moneyness if call else moneyness - 1.0
    volatility = brentq(surplus, 1e-4, 50.0, xtol=1e-14, rtol=1e-13)
    return normal(d1(volatility)) - (0.0 if call else 1.0)


def years_to_expiry(symbol: str, raw: RawDay, at: timedelta) -> float:
    """Return 365-day years to four o'clock of the expiry date; a Saturday means the Friday."""
    expiry = datetime.strptime(symbol[6:12], "%y%m%d").replace(tzinfo=NEW_YORK)
    expiry -= timedelta(days=1) if expiry.weekday() == 5 else timedelta(0)
    midnight = datetime(raw.day.year, raw.day.month, raw.day.day, tzinfo=NEW_YORK)
    end = expiry.replace(hour=16).astimezone(UTC)
    return (end - (midnight.astimezone(UTC) + at)) / timedelta(days=365)


def tick_signs(bars: list[RawBar]) -> Iterator[tuple[RawBar, int]]:
    """Yield the session's bars with the sign of the tick test, close against previous close."""
    sign, before = 0, math.nan
    for bar in bars:
        if not OPEN <= bar.at < CLOSE:
            continue
        close = bar.fields[3]
        sign = 1 if close > before else -1 if close < before else sign
        before = close
        yield bar, sign


def reckoned(raw: RawDay, symbol: str) -> dict[str, dict[str, float]]:
    """Return what every print of an option must look like, by its stamp."""
    stock, quotes = raw.stock("trade"), raw.stock("quote")
    has_quotes = any(raw.folder.glob(f"option/usa/minute/{raw.ticker}/*quote*.zip"))
    own_quotes = raw.option(symbol, "quote") if has_quotes else []
    found: dict[str, dict[str, float]] = {}
    for bar, ticked in tick_signs(raw.option(symbol, "trade")):
        price, lots = bar.fields[3] / 10_000, bar.fields[4]
        spot_bar = last_until(stock, bar.at)
        hedge = last_until(quotes, bar.at - MINUTE)
        own = last_until(own_quotes, bar.at - MINUTE)
        assert spot_bar is not None
        assert hedge is not None
        spot = spot_bar.fields[3] / 10_000
        sign, probability = ticked, 0.75 if ticked else 0.5
        if own is not None and 0 < own.fields[3] <= own.fields[8]:
            middle = (own.fields[3] + own.fields[8]) / 20_000
            if price != middle:
                sign, probability = (1 if price > middle else -1), 0.80
        delta = black_delta(
            symbol[12] == "C", spot, int(symbol[13:]) / 1000, price,
            years_to_expiry(symbol, raw, bar.at),
        )  # fmt: skip
        found[raw.stamp(bar.at)] = {
            "price": price,
            "contracts": lots,
            "underlying_price": spot,
            "hedge_bid": hedge.fields[3] / 10_000,
            "hedge_ask": hedge.fields[8] / 10_000,
            "sign": sign,
            "probability": probability,
            "delta": delta,
            "demand": sign * lots * delta * 100.0,
        }
    return found


def printed(*words: object) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def imported(market_data: Path, folder: Path, ticker: str) -> tuple[Path, Path]:
    """Import one underlying's files; return the folder with them and the catalog."""
    lean = market_data / "lean"
    parts = [f"option/usa/minute/{ticker}", f"equity/usa/minute/{ticker}"]
    for part in (*parts, f"option/usa/universes/{ticker}"):
        if (lean / part).is_dir():
            shutil.copytree(lean / part, folder / "lean" / part)
        elif part in parts:
            pytest.skip(f"needs recorded stock options: no folder {lean / part}")
    printed("data", "import", "lean", folder / "lean", "--catalog", folder / "catalog", "--json")
    return folder / "lean", folder / "catalog"


@pytest.fixture(scope="module")
def apple(market_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RawDay, Path]:
    """Return AAPL's raw files of 2014-06-06, an expiry Friday, and the catalog made of them."""
    raw, catalog = imported(market_data, tmp_path_factory.mktemp("apple"), "aapl")
    return RawDay(raw, "aapl", date(2014, 6, 6)), catalog


@pytest.fixture(scope="module")
def apple_alerts(apple: tuple[RawDay, Path]) -> list[dict[str, Any]]:
    """Return the alerts of the source's rules on that day."""
    about = ("--catalog", apple[1], "--underlying", "AAPL", "--preset", "source")
    return printed("scan", *about, "--date", "2014-06-06", "--json")["alerts"]


def assert_as_reckoned(raw: RawDay, behind: dict[str, Any]) -> None:
    by_contract = {each["contract"]: reckoned(raw, each["contract"]) for each in behind["members"]}
    for shown in behind["prints"]:
        expected = by_contract[shown["contract"]][shown["ts"]]
        assert {name: shown[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    total = sum(by_contract[shown["contract"]][shown["ts"]]["demand"] for shown in behind["prints"])
    assert behind["alert"]["demand"] == pytest.approx(total, rel=1e-6)


def test_signs_deltas_and_demand_of_alerts_are_those_of_the_raw_files(apple, apple_alerts):
    raw, catalog = apple
    chosen = sorted(apple_alerts, key=lambda alert: -alert["volume_contracts"])[:5]
    seen = 0
    for alert in [*apple_alerts[:2], *chosen]:
        behind = printed("explain", alert["alert_id"], "--catalog", catalog, "--json")
        assert_as_reckoned(raw, behind)
        assert all(row["bid"] is None and row["ask"] is None for row in behind["prints"])
        assert "The tape has no option quotes at these prints." in behind["notes"]
        seen += len(behind["prints"])
    assert seen > 20


def test_alerts_without_quotes_are_signed_by_the_tick_rule_with_probability_0_75(apple_alerts):
    assert len(apple_alerts) > 200
    for alert in apple_alerts:
        rules = {each["rule"]: each["probability"] for each in alert["signing"]}
        assert rules.pop("NONE", 0.5) == 0.5
        assert rules == {"TICK": 0.75}
        assert sum(each["share"] for each in alert["signing"]) == pytest.approx(1.0, abs=1e-5)


def test_baselines_are_the_daily_volumes_of_the_universes(apple, apple_alerts):
    """One day is recorded by the minute: of the sessions before, only whole volumes are known."""
    raw, catalog = apple
    alert = max(
        (each for each in apple_alerts if each["baseline_origin"] == "DAYS"),
        key=lambda each: each["volume_contracts"],
    )
    (member,) = printed("explain", alert["alert_id"], "--catalog", catalog, "--json")["members"]
    volumes = [
        universe_volume(raw.folder, day["session"], alert["contract"])
        for day in member["baseline_days"]
    ]
    assert [day["session"] for day in member["baseline_days"]] == [
        "2014-06-02", "2014-06-03", "2014-06-04", "2014-06-05",
    ]  # fmt: skip
    assert [day["contracts"] for day in member["baseline_days"]] == volumes
    assert member["baseline_contracts"] == pytest.approx(max(1.0, sum(volumes) / 4 / 78))
    assert member["baseline"] == "DAYS"


def universe_volume(folder: Path, session: str, symbol: str) -> float:
    path = folder / "option" / "usa" / "universes" / "aapl" / f"{session.replace('-', '')}.csv"
    key = (f"20{symbol[6:12]}", int(symbol[13:]) / 1000, symbol[12])
    for line in path.read_text().splitlines()[2:]:
        expiry, strike, right, _, _, _, _, volume, *_ = line.split(",")
        if (expiry, float(strike), right) == key:
            return float(volume)
    raise LookupError(symbol)


def test_the_source_says_that_one_day_of_apple_is_insufficient(apple, tmp_path):
    about = ("--catalog", apple[1], "--underlying", "AAPL", "--preset", "source")
    document = printed("validate", "volume-shock", *about, "--out", tmp_path / "out", "--json")
    assert document["experimental_validity"]["verdict"] == "INSUFFICIENT_DATA"
    assert document["trades"] < 50


def test_options_with_quotes_are_signed_by_the_quote_rule_with_probability_0_80(
    market_data, tmp_path
):
    folder, catalog = imported(market_data, tmp_path, "spy")
    raw = RawDay(folder, "spy", date(2023, 8, 3))
    about = ("--catalog", catalog, "--underlying", "SPY", "--preset", "source")
    alerts = printed("scan", *about, "--json")["alerts"]
    assert len(alerts) == 3
    for alert in alerts:
        behind = printed("explain", alert["alert_id"], "--catalog", catalog, "--json")
        assert behind["signing"] == alert["signing"]
        assert_as_reckoned(raw, behind)
    assert alerts[0]["signing"] == [{"rule": "QUOTE", "share": 1.0, "probability": 0.80}]
