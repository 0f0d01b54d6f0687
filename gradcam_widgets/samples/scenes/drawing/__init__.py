"""Drawing with arrays: shapes, shading, textures, resampling and canvas."""

__all__: list[str] = []
