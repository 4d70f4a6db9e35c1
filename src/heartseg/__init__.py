"""heartseg: from a cardiac study to the clinical answer."""
