"""Sets the wheel's tag: any Python 3, on the platform whose binaries are in it."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Tag(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + os.environ["SUPER8_PLATFORM"]
