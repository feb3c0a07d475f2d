"""What only a server can do: refuse a password, restart, lose a connection, speak a language."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hedgeflow.journal import Journal, JournalError
from hedgeflow.journal.rows import row_frame
from hedgeflow.journal.storage import lock, writing
from hedgeflow.journal.writes import append

SECRET = "hush:@/%?"
WRITTEN = "hush%3A%40%2F%25%3F"


@pytest.fixture(scope="session")
def guarded(postgresql):
    """A server that asks the role `keeper` for its password."""
    postgresql.execute(f"CREATE ROLE keeper LOGIN PASSWORD '{SECRET}'")
    postgresql.ask_for_password("keeper")
    return postgresql


def refusal_of(url: str) -> JournalError:
    with pytest.raises(JournalError) as caught:
        Journal.open(url)
    message = str(caught.value)
    assert "\n" not in message
    assert "hush" not in message
    assert WRITTEN not in message
    return caught.value


# --- the door -----------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_refused_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: nothing answers
        port = taken.getsockname()[1]
        refusal = refusal_of(f"postgresql://keeper:{WRITTEN}@127.0.0.1:{port}/journal")
    assert refusal.where == f"postgresql://keeper@127.0.0.1:{port}/journal"
    assert "Connection refused" in refusal.what
    assert "Check the address and that the server runs" in refusal.hint
    assert refusal.exit_code == 7


def test_a_server_without_a_name_is_refused():
    assert "no-such-host.invalid" in str(refusal_of("postgresql://no-such-host.invalid/journal"))


def test_a_database_that_is_not_there_is_refused_by_name(postgresql):
    assert 'database "nowhere" does not exist' in refusal_of(postgresql.url("nowhere")).what


def test_an_option_that_libpq_does_not_know_is_refused_by_name(postgresql):
    url = f"{postgresql.url()}&colour={WRITTEN}"
    assert 'invalid connection option "colour"' in refusal_of(url).what


@pytest.mark.parametrize("given", ["", ":hush"])
def test_a_missing_or_wrong_password_is_refused_with_where_to_put_it(guarded, given):
    url = guarded.url("postgres", user=f"keeper{given}")
    refusal = refusal_of(url)
    assert "password" in refusal.what
    assert "PGPASSWORD or ~/.pgpass" in refusal.hint


@pytest.mark.parametrize("by", ["address", "PGPASSWORD", ".pgpass"])
def test_a_password_comes_from_the_address_or_libpqs_own_sources(
    guarded, monkeypatch, tmp_path, trial, by
):
    url = guarded.new_schema(user="keeper")
    if by == "address":
        url = url.replace("keeper@", f"keeper:{WRITTEN}@")
    elif by == "PGPASSWORD":
        monkeypatch.setenv("PGPASSWORD", SECRET)
    else:
        passwords = tmp_path / "pgpass"
        passwords.write_text("*:*:*:keeper:" + SECRET.replace(":", "\\:"))
        passwords.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(passwords))
    with Journal.open(url) as journal:
        assert journal.record_trial(trial).is_new


def test_no_message_of_a_journal_under_way_shows_the_password(guarded, run, another_run, content):
    url = guarded.new_schema(user="keeper").replace("keeper@", f"keeper:{WRITTEN}@")
    with Journal.open(url) as journal:
        for act in (
            lambda: journal.begin_run(run),
            lambda: journal.record_run(run, **content(1)),
            lambda: journal.append_alerts("nobody", content(1)["alerts"]),
            lambda: journal.alert("a0"),
            lambda: lost(journal),
        ):
            with pytest.raises(JournalError) as caught:
                act()
            assert "hush" not in f"{caught.value}{caught.value.__cause__}"


def lost(journal: Journal) -> None:
    with writing(journal._engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_database_that_cannot_hold_every_sentence_is_refused(postgresql):
    url = postgresql.new_database("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    refusal = refusal_of(url)
    assert "encoding is SQL_ASCII" in refusal.what
    assert "ENCODING 'UTF8'" in refusal.hint


# --- what a session keeps to --------------------------------------------------------------------


def settings_of(url: str, *names: str) -> list[str]:
    with Journal.open(url) as journal, journal._engine.connect() as connection:
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]


def test_a_session_says_who_it_is_and_waits_with_a_bound(postgresql_url):
    names = ("application_name", "lock_timeout", "statement_timeout", "client_encoding")
    names += ("idle_in_transaction_session_timeout",)
    assert settings_of(postgresql_url, *names) == ["hedgeflow", "1min", "10min", "UTF8", "10min"]


def test_what_the_address_says_of_the_session_wins(postgresql_url):
    url = f"{postgresql_url}%20-clock_timeout%3D5s&application_name=desk"
    assert settings_of(url, "lock_timeout", "application_name") == ["5s", "desk"]


def test_a_roles_careless_settings_are_not_followed(postgresql, run, trial, entry):
    postgresql.execute("CREATE ROLE careless LOGIN")
    for setting in ("extra_float_digits = -15", "synchronous_commit = off"):
        postgresql.execute(f"ALTER ROLE careless SET {setting}")
    postgresql.execute("ALTER ROLE careless SET default_transaction_isolation = serializable")
    url = postgresql.new_schema(user="careless")
    assert settings_of(url, "synchronous_commit") == ["on"]
    with Journal.open(url) as journal:
        journal.record_trial(trial)
        journal.begin_run(run)
        journal.append_entries(run.run_id, [entry(0, None, amount_usd=0.1 + 0.2)])
        assert journal.table("ledger_entries")["amount_usd"].to_list() == [0.1 + 0.2]
        with writing(journal._engine) as connection:
            level = connection.execute(text("SHOW transaction_isolation")).scalar_one()
    assert level == "read committed"


def test_a_setting_that_is_stricter_stays(postgresql):
    postgresql.execute("CREATE ROLE strict LOGIN")
    postgresql.execute("ALTER ROLE strict SET synchronous_commit = remote_apply")
    assert settings_of(postgresql.new_schema("strict"), "synchronous_commit") == ["remote_apply"]


def test_text_sorts_by_its_bytes_whatever_the_servers_language(postgresql_url, stranger_to):
    Journal.open(postgresql_url).close()
    columns = (
        "SELECT DISTINCT data_type, collation_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
        " AND data_type NOT IN ('bigint', 'smallint', 'boolean', 'double precision')"
    )
    with stranger_to(postgresql_url).connect() as connection:
        assert connection.execute(text(columns)).all() == [("text", "C")]


# --- rights -------------------------------------------------------------------------------------


def test_a_role_that_may_only_select_and_insert_keeps_a_journal(
    postgresql, postgresql_url, trial, run, content
):
    Journal.open(postgresql_url).close()
    postgresql.execute("CREATE ROLE writer LOGIN")
    schema = postgresql_url.rpartition("%3D")[2]
    postgresql.execute(f"GRANT USAGE ON SCHEMA {schema} TO writer")
    postgresql.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO writer")
    with Journal.open(postgresql_url.replace("postgres@", "writer@")) as journal:
        journal.record_trial(trial)
        assert journal.record_run(run, **content(2)) is True
        with (
            pytest.raises(DBAPIError, match="permission denied for table trials"),
            journal._engine.begin() as connection,
        ):
            connection.execute(text("DELETE FROM trials"))


def test_a_role_that_may_not_make_tables_is_told_what_it_lacks(postgresql, postgresql_url):
    postgresql.execute("CREATE ROLE guest LOGIN")
    schema = postgresql_url.rpartition("%3D")[2]
    postgresql.execute(f"GRANT USAGE ON SCHEMA {schema} TO guest")
    refusal = refusal_of(postgresql_url.replace("postgres@", "guest@"))
    assert f"permission denied for schema {schema}" in refusal.what
    assert "CREATE on the schema" in refusal.hint


def test_a_journal_that_is_truncated_refuses(postgresql_url, stranger_to):
    Journal.open(postgresql_url).close()
    with (
        pytest.raises(DBAPIError, match="append-only: seals refuses TRUNCATE"),
        stranger_to(postgresql_url).begin() as connection,
    ):
        connection.execute(text("TRUNCATE seals"))


def test_a_schema_is_a_journal_beside_other_peoples_tables(postgresql, trial):
    url = postgresql.new_database()
    name = url.partition("?")[0].rpartition("/")[2]
    postgresql.execute("CREATE TABLE customers (name text)", name)
    postgresql.execute("CREATE SCHEMA research", name)
    with pytest.raises(JournalError, match="another program's"):
        Journal.open(url)
    with Journal.open(f"{url}&options=-csearch_path%3Dresearch,public") as journal:
        assert journal.record_trial(trial).is_new


# --- waiting and losing -------------------------------------------------------------------------


def test_a_writer_that_waits_too_long_says_for_what(postgresql_url, run, trial, alert):
    with Journal.open(f"{postgresql_url}%20-clock_timeout%3D100ms") as journal:
        journal.record_trial(trial)
        journal.begin_run(run)
        with writing(journal._engine) as other:
            lock(other, f"run {run.run_id}")
            with pytest.raises(JournalError, match=r"lock timeout.*Another writer has been at it"):
                journal.append_alerts(run.run_id, [alert(0)])
        assert journal.append_alerts(run.run_id, [alert(0)]) == 1


def test_writers_of_different_runs_do_not_wait_for_each_other(begun_there, another_run, alert):
    other = another_run(8)
    begun_there.begin_run(other)
    with writing(begun_there._engine) as held:
        lock(held, f"run {another_run(7).run_id}")
        assert begun_there.append_alerts(other.run_id, [alert(0)]) == 1


def test_a_connection_that_is_lost_in_a_transaction_leaves_nothing(
    postgresql, begun_there, run, alert
):
    def lose() -> None:
        time.sleep(0.2)
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'hedgeflow' AND state LIKE 'idle in%'"
        )

    def write() -> None:
        with writing(begun_there._engine) as connection:
            lock(connection, "what happens")
            append(connection, "alerts", row_frame("alerts", run.run_id, [alert(0)]))
            time.sleep(0.6)
            append(connection, "alerts", row_frame("alerts", run.run_id, [alert(1)]))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lose)
        with pytest.raises(JournalError, match=r"connection was lost.*Repeat the command"):
            write()
    assert begun_there.table("alerts").is_empty()
    assert begun_there.append_alerts(run.run_id, [alert(0)]) == 1


def test_a_server_that_restarts_between_two_writes_loses_nothing(
    postgresql, begun_there, trial, run, alert
):
    begun_there.append_alerts(run.run_id, [alert(0)])
    postgresql.stop()
    try:
        with pytest.raises(JournalError) as caught:
            begun_there.append_alerts(run.run_id, [alert(1)])
        assert "\n" not in str(caught.value)
        assert "that the server runs" in caught.value.hint
    finally:
        postgresql.start()
    assert begun_there.append_alerts(run.run_id, [alert(0), alert(1)]) == 1
    assert begun_there.table("alerts").height == 2
    assert begun_there.record_trial(replace(trial, config_hash="after")).configurations == 2


@pytest.fixture
def begun_there(postgresql_url, trial, run):
    with Journal.open(postgresql_url) as journal:
        journal.record_trial(trial)
        journal.begin_run(run)
        yield journal
