"""Surfaces as files: binary STL, and glTF 2.0 in one binary file (GLB).

Points are LPS+ millimetres in both (x to the left, y to the back, z to the head). STL says so in
its header. A viewer of glTF expects metres with y up and the front towards +z: the file's root node
turns and scales, so the heart stands as the patient does and its points stay those of the image.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.report.palette import COLOURS
from heartseg.report.surface import Mesh, surface

LPS_MM_TO_GLTF = (
    *(0.001, 0.0, 0.0, 0.0),  # left is +x
    *(0.0, 0.0, -0.001, 0.0),  # the back is -z
    *(0.0, 0.001, 0.0, 0.0),  # the head is +y
    *(0.0, 0.0, 0.0, 1.0),
)
"""A column after the other, as glTF stores matrices."""

_ARRAY, _INDICES = 34962, 34963
_FLOAT, _UNSIGNED = 5126, 5125


def phase_meshes(
    segmentation: Segmentation, phases: Phases
) -> Iterator[tuple[str, Structure, Mesh]]:
    """`ed` or `es`, structure and surface of what there is in these frames.

    The RV's end-systole is its own, where it has one.

    Raises:
        GeometryError: the grid has no millimetres, or is one plane without a thickness.
    """
    for phase in ("ed", "es"):
        for structure in segmentation.structures:
            frame = phases.ed if phase == "ed" else phases.es
            if (phase, structure) == ("es", Structure.RV_CAVITY) and phases.rv_es is not None:
                frame = phases.rv_es
            if frame is not None and (mask := segmentation.mask(structure, frame)).any():
                yield phase, structure, surface(mask, segmentation.geometry)


def stl_bytes(mesh: Mesh, name: str) -> bytes:
    """A binary STL file; `name` goes into its header."""
    corners = mesh.points_mm[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    facets = np.zeros(len(corners), [("xyz", "<f4", (4, 3)), ("unused", "<u2")])
    facets["xyz"][:, 0] = np.divide(normals, lengths, out=normals * 0, where=lengths > 0)
    facets["xyz"][:, 1:] = corners
    header = f"heartseg {name}, LPS+ mm, research use".encode("ascii")
    return header[:80].ljust(80) + struct.pack("<I", len(facets)) + facets.tobytes()


def glb_bytes(meshes: Mapping[Structure, Mesh]) -> bytes:
    """A GLB file with a coloured node for each structure, named by its key."""
    views: list[dict[str, int]] = []
    accessors: list[dict[str, object]] = []
    blob = b""
    for mesh in meshes.values():
        points = mesh.points_mm.astype("<f4")
        span = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
        for array, target in ((points, _ARRAY), (mesh.triangles.astype("<u4"), _INDICES)):
            indices = target == _INDICES
            size = array.nbytes
            views.append(
                {"buffer": 0, "byteOffset": len(blob), "byteLength": size, "target": target}
            )
            accessors.append(
                {
                    "bufferView": len(views) - 1,
                    "componentType": _UNSIGNED if indices else _FLOAT,
                    "count": array.size if indices else len(array),
                    "type": "SCALAR" if indices else "VEC3",
                    **({} if indices else span),
                }
            )
            blob += array.tobytes()
    scene = {
        **_nodes(list(meshes)),
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
    }
    return _glb(json.dumps(scene, separators=(",", ":")).encode(), blob)


def _nodes(structures: Sequence[Structure]) -> dict[str, object]:
    """A node for each structure below one that turns the patient's millimetres to glTF's metres."""
    return {
        "asset": {"version": "2.0", "generator": "heartseg"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {
                "name": "patient",
                "matrix": LPS_MM_TO_GLTF,
                "children": [at + 1 for at in range(len(structures))],
                "extras": {"space": "LPS+", "unit": "mm", "use": "research use, not diagnosis"},
            },
            *({"name": one.key, "mesh": at} for at, one in enumerate(structures)),
        ],
        "meshes": [
            {
                "name": one.key,
                "primitives": [
                    {"attributes": {"POSITION": 2 * at}, "indices": 2 * at + 1, "material": at}
                ],
            }
            for at, one in enumerate(structures)
        ],
        "materials": [_material(one) for one in structures],
    }


def _material(structure: Structure) -> dict[str, object]:
    red, green, blue = ((value / 255.0) ** 2.2 for value in COLOURS[structure])  # linear light
    return {
        "name": structure.key,
        "pbrMetallicRoughness": {
            "baseColorFactor": [round(red, 4), round(green, 4), round(blue, 4), 1.0],
            "metallicFactor": 0.0,
        },
    }


def _glb(text: bytes, blob: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
