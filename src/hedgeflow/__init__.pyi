from hedgeflow.notebook import backtest as backtest
from hedgeflow.notebook import load_package as load_package
from hedgeflow.notebook import scan as scan
from hedgeflow.notebook import validate as validate

__version__: str
