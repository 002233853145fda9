"""Definitions of the features: name, IBSI identifier, unit and formula, in the order of the reference manual.

Each row: tag without its family, what the feature is called, identifier, unit, formula, and what leaves it undefined.
Notation: V and A volume and area of the mesh; X the N intensities of the region, mu their mean; g a grey level, Ng
their number, p_g its share of voxels; p_ij the co-occurrence matrix, divided by its sum; s_ij the matrix of level i and
size j (run length, zone size, distance, dependence), Ns its sum, Nv the number of voxels; log to the base 2.
"""

from typing import TypeAlias

Row: TypeAlias = tuple[str, str, str, str, str, str]

_CONSTANT = "all intensities are the same"
_ONE_LEVEL = "all voxels have one grey level"
_ONE = "the region is one voxel"
_UNEQUAL = "one axis of a voxel is more than a million times as long as another"
_FLAT = "the voxels lie on one line or in one plane"

MORPHOLOGY: tuple[Row, ...] = (
    ("volume", "Volume (mesh)", "RNU0", "mm³", "V", ""),
    ("vol_approx", "Volume (voxel counting)", "YEKZ", "mm³", "Nv * volume of a voxel", ""),
    ("area_mesh", "Surface area (mesh)", "C0JK", "mm²", "A", ""),
    ("av", "Surface to volume ratio", "2PR5", "1/mm", "A / V", ""),
    ("comp_1", "Compactness 1", "SKGS", "1", "V / (sqrt(pi) A^(3/2))", ""),
    ("comp_2", "Compactness 2", "BQWJ", "1", "36 pi V^2 / A^3", ""),
    ("sph_dispr", "Spherical disproportion", "KRCK", "1", "A / (36 pi V^2)^(1/3)", ""),
    ("sphericity", "Sphericity", "QCFX", "1", "(36 pi V^2)^(1/3) / A", ""),
    ("asphericity", "Asphericity", "25C7", "1", "(A^3 / (36 pi V^2))^(1/3) - 1", ""),
    ("com", "Centre of mass shift", "KLMA", "mm", "|mean position - mean position weighted by intensity|",
     "the intensities add up to 0"),
    ("diam", "Maximum 3D diameter", "L0JK", "mm", "largest distance between two points of the mesh", ""),
    ("pca_maj_axis", "Major axis length", "TDIC", "mm", "4 sqrt(largest eigenvalue of the covariance)", _ONE),
    ("pca_min_axis", "Minor axis length", "P9VJ", "mm", "4 sqrt(middle eigenvalue)", _ONE),
    ("pca_least_axis", "Least axis length", "7J51", "mm", "4 sqrt(least eigenvalue)", _ONE),
    ("pca_elongation", "Elongation", "Q3CK", "1", "minor / major axis length", _ONE),
    ("pca_flatness", "Flatness", "N17B", "1", "least / major axis length", _ONE),
    ("vol_dens_aabb", "Volume density, axis-aligned bounding box", "PBX1", "1", "V / volume of the box", ""),
    ("area_dens_aabb", "Area density, axis-aligned bounding box", "R59B", "1", "A / area of the box", ""),
    ("vol_dens_ombb", "Volume density, oriented minimum bounding box", "ZH1A", "1", "V / volume of the box", _UNEQUAL),
    ("area_dens_ombb", "Area density, oriented minimum bounding box", "IQYR", "1", "A / area of the box", _UNEQUAL),
    ("vol_dens_aee", "Volume density, approximate enclosing ellipsoid", "6BDE", "1",
     "V / volume of the ellipsoid with the principal axes", _FLAT),
    ("area_dens_aee", "Area density, approximate enclosing ellipsoid", "RDD2", "1",
     "A / area of the ellipsoid with the principal axes", _FLAT),
    ("vol_dens_mvee", "Volume density, minimum volume enclosing ellipsoid", "SWZ1", "1", "V / its volume", _UNEQUAL),
    ("area_dens_mvee", "Area density, minimum volume enclosing ellipsoid", "BRI8", "1", "A / its area", _UNEQUAL),
    ("vol_dens_conv_hull", "Volume density, convex hull", "R3ER", "1", "V / volume of the hull", ""),
    ("area_dens_conv_hull", "Area density, convex hull", "7T7F", "1", "A / area of the hull", ""),
    ("integ_int", "Integrated intensity", "99N0", "intensity * mm³", "V mu", ""),
    ("moran_i", "Moran's I index", "N365", "1",
     "Nv / sum w_ij * sum w_ij (X_i - mu)(X_j - mu) / sum (X_i - mu)^2, w_ij = 1 / distance", _CONSTANT),
    ("geary_c", "Geary's C measure", "NPT7", "1",
     "(Nv - 1) / (2 sum w_ij) * sum w_ij (X_i - X_j)^2 / sum (X_i - mu)^2", _CONSTANT),
)  # fmt: skip

LOCAL: tuple[Row, ...] = (
    ("peak_loc", "Local intensity peak", "VJGA", "intensity", "mean in 1 cm³ around the brightest voxel", ""),
    ("peak_glob", "Global intensity peak", "0F91", "intensity", "largest mean in 1 cm³ around any voxel", ""),
)

STATISTICS: tuple[Row, ...] = (
    ("mean", "Mean intensity", "Q4LE", "intensity", "mu = sum X / Nv", ""),
    ("var", "Intensity variance", "ECT3", "intensity²", "sum (X - mu)^2 / Nv", ""),
    ("skew", "Intensity skewness", "KE2A", "1", "sum (X - mu)^3 / Nv / var^(3/2)", _CONSTANT),
    ("kurt", "Intensity kurtosis (excess)", "IPH6", "1", "sum (X - mu)^4 / Nv / var^2 - 3", _CONSTANT),
    ("median", "Median intensity", "Y12H", "intensity", "50th percentile", ""),
    ("min", "Minimum intensity", "1GSF", "intensity", "min X", ""),
    ("p10", "10th intensity percentile", "QG58", "intensity", "P10", ""),
    ("p90", "90th intensity percentile", "8DWT", "intensity", "P90", ""),
    ("max", "Maximum intensity", "84IY", "intensity", "max X", ""),
    ("iqr", "Intensity interquartile range", "SALO", "intensity", "P75 - P25", ""),
    ("range", "Intensity range", "2OJQ", "intensity", "max X - min X", ""),
    ("mad", "Mean absolute deviation", "4FUA", "intensity", "sum |X - mu| / Nv", ""),
    ("rmad", "Robust mean absolute deviation", "1128", "intensity", "the same of intensities from P10 to P90", ""),
    ("medad", "Median absolute deviation", "N72L", "intensity", "sum |X - median| / Nv", ""),
    ("cov", "Coefficient of variation", "7TET", "1", "sqrt(var) / mu", "the mean is 0"),
    ("qcod", "Quartile coefficient of dispersion", "9S40", "1", "(P75 - P25) / (P75 + P25)",
     "the quartiles add up to 0"),
    ("energy", "Intensity energy", "N8CA", "intensity²", "sum X^2", ""),
    ("rms", "Root mean square intensity", "5ZWQ", "intensity", "sqrt(sum X^2 / Nv)", ""),
)  # fmt: skip

HISTOGRAM: tuple[Row, ...] = (
    ("mean", "Mean discretised intensity", "X6K6", "level", "mu = sum g p_g", ""),
    ("var", "Discretised intensity variance", "CH89", "level²", "sum (g - mu)^2 p_g", ""),
    ("skew", "Discretised intensity skewness", "88K1", "1", "sum (g - mu)^3 p_g / var^(3/2)", _ONE_LEVEL),
    ("kurt", "Discretised intensity kurtosis (excess)", "C3I7", "1", "sum (g - mu)^4 p_g / var^2 - 3", _ONE_LEVEL),
    ("median", "Median discretised intensity", "WIFQ", "level", "50th percentile", ""),
    ("min", "Minimum discretised intensity", "1PR8", "level", "min g", ""),
    ("p10", "10th discretised intensity percentile", "GPMT", "level", "P10", ""),
    ("p90", "90th discretised intensity percentile", "OZ0C", "level", "P90", ""),
    ("max", "Maximum discretised intensity", "3NCY", "level", "max g", ""),
    ("mode", "Intensity histogram mode", "AMMC", "level", "the most frequent g; of several the nearest to mu", ""),
    ("iqr", "Discretised intensity interquartile range", "WR0O", "level", "P75 - P25", ""),
    ("range", "Discretised intensity range", "5Z3W", "level", "max g - min g", ""),
    ("mad", "Histogram mean absolute deviation", "D2ZX", "level", "sum |g - mu| p_g", ""),
    ("rmad", "Histogram robust mean absolute deviation", "WRZB", "level", "the same of levels from P10 to P90", ""),
    ("medad", "Histogram median absolute deviation", "4RNL", "level", "sum |g - median| p_g", ""),
    ("cov", "Histogram coefficient of variation", "CWYJ", "1", "sqrt(var) / mu", ""),
    ("qcod", "Histogram quartile coefficient of dispersion", "SLWD", "1", "(P75 - P25) / (P75 + P25)", ""),
    ("entropy", "Discretised intensity entropy", "TLU2", "bit", "-sum p_g log p_g", ""),
    ("uniformity", "Discretised intensity uniformity", "BJ5W", "1", "sum p_g^2", ""),
    ("max_grad", "Maximum histogram gradient", "12CE", "voxels/level", "max of the slope of the counts", _ONE_LEVEL),
    ("max_grad_g", "Maximum histogram gradient intensity", "8E6O", "level", "g at which it lies", _ONE_LEVEL),
    ("min_grad", "Minimum histogram gradient", "VQB3", "voxels/level", "min of the slope of the counts", _ONE_LEVEL),
    ("min_grad_g", "Minimum histogram gradient intensity", "RHQZ", "level", "g at which it lies", _ONE_LEVEL),
)  # fmt: skip

VOLUME_HISTOGRAM: tuple[Row, ...] = (
    ("v10", "Volume at intensity fraction 10%", "BC2M", "1",
     "largest share of voxels at or above min + 10% of the range", _CONSTANT),
    ("v90", "Volume at intensity fraction 90%", "BC2M", "1", "the same for 90%", _CONSTANT),
    ("i10", "Intensity at volume fraction 10%", "GBPN", "intensity",
     "least intensity that at most 10% of voxels reach", ""),
    ("i90", "Intensity at volume fraction 90%", "GBPN", "intensity", "the same for 90%", ""),
    ("diff_v10_v90", "Volume fraction difference between intensity fractions", "DDTU", "1", "V10 - V90", _CONSTANT),
    ("diff_i10_i90", "Intensity fraction difference between volume fractions", "CNV2", "intensity", "I10 - I90", ""),
    ("auc", "Area under the intensity-volume histogram", "9CMM", "1",
     "integral of the share over the intensity fraction", _CONSTANT),
)  # fmt: skip

COOCCURRENCE: tuple[Row, ...] = (
    ("joint_max", "Joint maximum", "GYBY", "1", "max p_ij", ""),
    ("joint_avg", "Joint average", "60VM", "level", "mu = sum i p_ij", ""),
    ("joint_var", "Joint variance", "UR99", "level²", "sum (i - mu)^2 p_ij", ""),
    ("joint_entr", "Joint entropy", "TU9B", "bit", "-sum p_ij log p_ij", ""),
    ("diff_avg", "Difference average", "TF7R", "level", "sum k p_|i-j|=k", ""),
    ("diff_var", "Difference variance", "D3YU", "level²", "sum (k - difference average)^2 p_|i-j|=k", ""),
    ("diff_entr", "Difference entropy", "NTRS", "bit", "-sum p_|i-j|=k log p_|i-j|=k", ""),
    ("sum_avg", "Sum average", "ZGXS", "level", "sum k p_i+j=k", ""),
    ("sum_var", "Sum variance", "OEEB", "level²", "sum (k - sum average)^2 p_i+j=k", ""),
    ("sum_entr", "Sum entropy", "P6QZ", "bit", "-sum p_i+j=k log p_i+j=k", ""),
    ("energy", "Angular second moment", "8ZQL", "1", "sum p_ij^2", ""),
    ("contrast", "Contrast", "ACUI", "level²", "sum (i - j)^2 p_ij", ""),
    ("dissimilarity", "Dissimilarity", "8S9J", "level", "sum |i - j| p_ij", ""),
    ("inv_diff", "Inverse difference", "IB1Z", "1", "sum p_ij / (1 + |i - j|)", ""),
    ("inv_diff_norm", "Normalised inverse difference", "NDRX", "1", "sum p_ij / (1 + |i - j| / Ng)", ""),
    ("inv_diff_mom", "Inverse difference moment", "WF0Z", "1", "sum p_ij / (1 + (i - j)^2)", ""),
    ("inv_diff_mom_norm", "Normalised inverse difference moment", "1QCO", "1", "sum p_ij / (1 + (i - j)^2 / Ng^2)", ""),
    ("inv_var", "Inverse variance", "E8JP", "1", "2 sum_i<j p_ij / (i - j)^2", ""),
    ("corr", "Correlation", "NI2N", "1", "sum (i - mu)(j - mu) p_ij / joint variance", _ONE_LEVEL),
    ("auto_corr", "Autocorrelation", "QWB0", "level²", "sum i j p_ij", ""),
    ("clust_tend", "Cluster tendency", "DG8W", "level²", "sum (i + j - 2 mu)^2 p_ij", ""),
    ("clust_shade", "Cluster shade", "7NFM", "level³", "sum (i + j - 2 mu)^3 p_ij", ""),
    ("clust_prom", "Cluster prominence", "AE86", "level⁴", "sum (i + j - 2 mu)^4 p_ij", ""),
    ("info_corr1", "Information correlation 1", "R8DG", "1", "(HXY - HXY1) / HX", _ONE_LEVEL),
    ("info_corr2", "Information correlation 2", "JN9H", "1", "sqrt(1 - exp(-2 (HXY2 - HXY)))", ""),
)  # fmt: skip

TONES: tuple[Row, ...] = (
    ("coarseness", "Coarseness", "QCDE", "1/level", "1 / sum p_i s_i", "every voxel equals the mean of its neighbours"),
    ("contrast", "Contrast", "65HE", "level³", "sum p_i p_j (i - j)^2 / (Np (Np - 1)) * sum s_i / Nv", _ONE_LEVEL),
    ("busyness", "Busyness", "NQ30", "1", "sum p_i s_i / sum |i p_i - j p_j|", _ONE_LEVEL),
    ("complexity", "Complexity", "HDEZ", "level²", "sum |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / Nv", _ONE_LEVEL),
    ("strength", "Strength", "1X9X", "level", "sum (p_i + p_j)(i - j)^2 / sum s_i", _ONE_LEVEL),
)  # fmt: skip

_FORMULAS = (
    "sum s_ij / j^2 / Ns", "sum s_ij j^2 / Ns", "sum s_ij / i^2 / Ns", "sum s_ij i^2 / Ns", "sum s_ij / (i j)^2 / Ns",
    "sum s_ij i^2 / j^2 / Ns", "sum s_ij j^2 / i^2 / Ns", "sum s_ij (i j)^2 / Ns", "sum_i (sum_j s_ij)^2 / Ns",
    "sum_i (sum_j s_ij)^2 / Ns^2", "sum_j (sum_i s_ij)^2 / Ns", "sum_j (sum_i s_ij)^2 / Ns^2", "Ns / Nv",
    "sum (i - mean)^2 s_ij / Ns", "sum (j - mean)^2 s_ij / Ns", "-sum s_ij / Ns log(s_ij / Ns)",
    "sum (s_ij / Ns)^2",
)  # fmt: skip
_UNITS = (
    "1", "size²", "1/level²", "level²", "1/level²", "level²", "size²/level²", "size² level²", "1", "1", "1", "1", "1",
    "level²", "size²", "bit", "1",
)  # fmt: skip


def _sizes(rows: tuple[tuple[str, str, str], ...]) -> tuple[Row, ...]:
    found = zip(rows, _UNITS, _FORMULAS, strict=False)
    return tuple((tag, name, code, unit, formula, "") for (tag, name, code), unit, formula in found)


RUNS = _sizes(
    (
        ("sre", "Short runs emphasis", "22OV"),
        ("lre", "Long runs emphasis", "W4KF"),
        ("lgre", "Low grey level run emphasis", "V3SW"),
        ("hgre", "High grey level run emphasis", "G3QZ"),
        ("srlge", "Short run low grey level emphasis", "HTZT"),
        ("srhge", "Short run high grey level emphasis", "GD3A"),
        ("lrlge", "Long run low grey level emphasis", "IVPO"),
        ("lrhge", "Long run high grey level emphasis", "3KUM"),
        ("glnu", "Grey level non-uniformity", "R5YN"),
        ("glnu_norm", "Normalised grey level non-uniformity", "OVBL"),
        ("rlnu", "Run length non-uniformity", "W92Y"),
        ("rlnu_norm", "Normalised run length non-uniformity", "IC23"),
        ("r_perc", "Run percentage", "9ZK5"),
        ("gl_var", "Grey level variance", "8CE5"),
        ("rl_var", "Run length variance", "SXLW"),
        ("rl_entr", "Run entropy", "HJ9O"),
    )
)
ZONE_SIZES = _sizes(
    (
        ("sze", "Small zone emphasis", "5QRC"),
        ("lze", "Large zone emphasis", "48P8"),
        ("lgze", "Low grey level zone emphasis", "XMSY"),
        ("hgze", "High grey level zone emphasis", "5GN9"),
        ("szlge", "Small zone low grey level emphasis", "5RAI"),
        ("szhge", "Small zone high grey level emphasis", "HW1V"),
        ("lzlge", "Large zone low grey level emphasis", "YH51"),
        ("lzhge", "Large zone high grey level emphasis", "J17V"),
        ("glnu", "Grey level non-uniformity", "JNSA"),
        ("glnu_norm", "Normalised grey level non-uniformity", "Y1RO"),
        ("zsnu", "Zone size non-uniformity", "4JP3"),
        ("zsnu_norm", "Normalised zone size non-uniformity", "VB3A"),
        ("z_perc", "Zone percentage", "P30P"),
        ("gl_var", "Grey level variance", "BYLV"),
        ("zs_var", "Zone size variance", "3NSA"),
        ("zs_entr", "Zone size entropy", "GU8N"),
    )
)
ZONE_DISTANCES = _sizes(
    (
        ("sde", "Small distance emphasis", "0GBI"),
        ("lde", "Large distance emphasis", "MB4I"),
        ("lgze", "Low grey level zone emphasis", "S1RA"),
        ("hgze", "High grey level zone emphasis", "K26C"),
        ("sdlge", "Small distance low grey level emphasis", "RUVG"),
        ("sdhge", "Small distance high grey level emphasis", "DKNJ"),
        ("ldlge", "Large distance low grey level emphasis", "A7WM"),
        ("ldhge", "Large distance high grey level emphasis", "KLTH"),
        ("glnu", "Grey level non-uniformity", "VFT7"),
        ("glnu_norm", "Normalised grey level non-uniformity", "7HP3"),
        ("zdnu", "Zone distance non-uniformity", "V294"),
        ("zdnu_norm", "Normalised zone distance non-uniformity", "IATH"),
        ("z_perc", "Zone percentage", "VIWW"),
        ("gl_var", "Grey level variance", "QK93"),
        ("zd_var", "Zone distance variance", "7WT1"),
        ("zd_entr", "Zone distance entropy", "GBDU"),
    )
)
DEPENDENCES = _sizes(
    (
        ("lde", "Low dependence emphasis", "SODN"),
        ("hde", "High dependence emphasis", "IMOQ"),
        ("lgce", "Low grey level count emphasis", "TL9H"),
        ("hgce", "High grey level count emphasis", "OAE7"),
        ("ldlge", "Low dependence low grey level emphasis", "EQ3F"),
        ("ldhge", "Low dependence high grey level emphasis", "JA6D"),
        ("hdlge", "High dependence low grey level emphasis", "NBZI"),
        ("hdhge", "High dependence high grey level emphasis", "9QMG"),
        ("glnu", "Grey level non-uniformity", "FP8K"),
        ("glnu_norm", "Normalised grey level non-uniformity", "5SPA"),
        ("dcnu", "Dependence count non-uniformity", "Z87G"),
        ("dcnu_norm", "Normalised dependence count non-uniformity", "OKJI"),
        ("dc_perc", "Dependence count percentage", "6XV8"),
        ("gl_var", "Grey level variance", "1PFV"),
        ("dc_var", "Dependence count variance", "DNX2"),
        ("dc_entr", "Dependence count entropy", "FCBV"),
        ("dc_energy", "Dependence count energy", "CAS9"),
    )
)
