"""As in the tests of the runtime: no key of this machine is seen."""

from runtime.conftest import _no_keys as _no_keys
