"""`python -m streamwatch.worker` runs a worker process."""

import sys

from streamwatch.worker.process import main

sys.exit(main())
