"""moto_server, which remembers what it else looks up anew for every request: a third of its time."""

import functools
import sys

import moto.backends
import moto.core.utils

services = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: services
# Before anything imports it by name.
moto.core.utils.method_names_from_class = functools.cache(moto.core.utils.method_names_from_class)

from moto.server import main  # noqa: E402

sys.exit(main())
