"""Cases: the sizes, dtype, seed and features from which every array of a check is drawn again."""
