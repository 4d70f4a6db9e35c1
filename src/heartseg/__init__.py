"""heartseg: from a cardiac study to the clinical answer."""

__version__ = "0.1.0"

__all__: list[str] = []
