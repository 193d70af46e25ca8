"""Double-click me, or: python3 start.py · 双击，或在终端运行 python3 start.py.

Installs what is needed into .venv here (once, from the lock) and opens JupyterLab on the notebook for your own reports.
第一次运行时把所需的软件装进这里的 .venv，然后在浏览器中打开“我的报告”。
"""

import sys

from shinan_research.workplace import begin

if __name__ == "__main__":
    sys.exit(begin(sys.argv[1:]))
