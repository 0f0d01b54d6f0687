"""Drawing with arrays: shapes, shading, textures, resampling and canvas."""
