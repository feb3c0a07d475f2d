"""Who found, or defined, what is measured."""

from __future__ import annotations

from typing import Final

REFERENCES: Final[dict[str, str]] = {
    "Andersen and Bollerslev 1997": (
        "T. G. Andersen and T. Bollerslev, Intraday periodicity and volatility persistence in"
        " financial markets, Journal of Empirical Finance 4 (1997) 115–158"
    ),
    "Barndorff-Nielsen and Shephard 2004": (
        "O. E. Barndorff-Nielsen and N. Shephard, Power and bipower variation with stochastic"
        " volatility and jumps, Journal of Financial Econometrics 2 (2004) 1–37"
    ),
    "Bouchaud et al. 2004": (
        "J.-P. Bouchaud, Y. Gefen, M. Potters and M. Wyart, Fluctuations and response in financial"
        " markets: the subtle nature of 'random' price changes, Quantitative Finance 4 (2004)"
        " 176–190"
    ),
    "Cont 2001": (
        "R. Cont, Empirical properties of asset returns: stylized facts and statistical issues,"
        " Quantitative Finance 1 (2001) 223–236"
    ),
    "Fano 1947": "U. Fano, Ionization yield of radiations II, Physical Review 72 (1947) 26–29",
    "Gopikrishnan et al. 2000": (
        "P. Gopikrishnan, V. Plerou, X. Gabaix and H. E. Stanley, Statistical properties of share"
        " volume traded in financial markets, Physical Review E 62 (2000) R4493–R4496"
    ),
    "Hill 1975": (
        "B. M. Hill, A simple general approach to inference about the tail of a distribution,"
        " Annals of Statistics 3 (1975) 1163–1174"
    ),
    "Lillo and Farmer 2004": (
        "F. Lillo and J. D. Farmer, The long memory of the efficient market, Studies in Nonlinear"
        " Dynamics and Econometrics 8 (2004) 3"
    ),
}
"""By the names that definitions give."""
