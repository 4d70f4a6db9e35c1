"""The command line with f32 convolutions, whatever the processor could do faster.

python benchmarks/in_f32.py segment STUDY -o OUT
"""

import heartseg.segment as stage
from heartseg.cli import main
from heartseg.segment import Bundle, Runtime


def _in_f32(device: str, bundle: Bundle, threads: int | None = None) -> Runtime:
    from heartseg.segment.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(bundle, precision="f32", threads=threads)


stage.choose_runtime = _in_f32

if __name__ == "__main__":
    main()
