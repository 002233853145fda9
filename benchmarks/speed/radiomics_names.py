"""Which of PyRadiomics' features are which of the IBSI's, and why some are not alike."""

_FIRST = {
    "10Percentile": "stat_p10", "90Percentile": "stat_p90", "Energy": "stat_energy", "Entropy": "ih_entropy",
    "InterquartileRange": "stat_iqr", "Kurtosis": "stat_kurt", "Maximum": "stat_max",
    "MeanAbsoluteDeviation": "stat_mad", "Mean": "stat_mean", "Median": "stat_median", "Minimum": "stat_min",
    "Range": "stat_range", "RobustMeanAbsoluteDeviation": "stat_rmad", "RootMeanSquared": "stat_rms",
    "Skewness": "stat_skew", "Uniformity": "ih_uniformity", "Variance": "stat_var",
}  # fmt: skip
_SHAPE = {
    "Elongation": "pca_elongation", "Flatness": "pca_flatness", "LeastAxisLength": "pca_least_axis",
    "MajorAxisLength": "pca_maj_axis", "MinorAxisLength": "pca_min_axis", "Maximum3DDiameter": "diam",
    "MeshVolume": "volume", "Sphericity": "sphericity", "SurfaceArea": "area_mesh", "SurfaceVolumeRatio": "av",
    "VoxelVolume": "vol_approx",
}  # fmt: skip
_PAIRS = {
    "Autocorrelation": "auto_corr", "ClusterProminence": "clust_prom", "ClusterShade": "clust_shade",
    "ClusterTendency": "clust_tend", "Contrast": "contrast", "Correlation": "corr", "DifferenceAverage": "diff_avg",
    "DifferenceEntropy": "diff_entr", "DifferenceVariance": "diff_var", "Id": "inv_diff", "Idm": "inv_diff_mom",
    "Idmn": "inv_diff_mom_norm", "Idn": "inv_diff_norm", "Imc1": "info_corr1", "Imc2": "info_corr2",
    "InverseVariance": "inv_var", "JointAverage": "joint_avg", "JointEnergy": "energy", "JointEntropy": "joint_entr",
    "MaximumProbability": "joint_max", "SumAverage": "sum_avg", "SumEntropy": "sum_entr", "SumSquares": "joint_var",
}  # fmt: skip
_RUNS = {
    "ShortRunEmphasis": "sre", "LongRunEmphasis": "lre", "LowGrayLevelRunEmphasis": "lgre",
    "HighGrayLevelRunEmphasis": "hgre", "ShortRunLowGrayLevelEmphasis": "srlge",
    "ShortRunHighGrayLevelEmphasis": "srhge", "LongRunLowGrayLevelEmphasis": "lrlge",
    "LongRunHighGrayLevelEmphasis": "lrhge", "GrayLevelNonUniformity": "glnu",
    "GrayLevelNonUniformityNormalized": "glnu_norm", "RunLengthNonUniformity": "rlnu",
    "RunLengthNonUniformityNormalized": "rlnu_norm", "RunPercentage": "r_perc", "GrayLevelVariance": "gl_var",
    "RunVariance": "rl_var", "RunEntropy": "rl_entr",
}  # fmt: skip
_ZONES = {
    "SmallAreaEmphasis": "sze", "LargeAreaEmphasis": "lze", "LowGrayLevelZoneEmphasis": "lgze",
    "HighGrayLevelZoneEmphasis": "hgze", "SmallAreaLowGrayLevelEmphasis": "szlge",
    "SmallAreaHighGrayLevelEmphasis": "szhge", "LargeAreaLowGrayLevelEmphasis": "lzlge",
    "LargeAreaHighGrayLevelEmphasis": "lzhge", "GrayLevelNonUniformity": "glnu",
    "GrayLevelNonUniformityNormalized": "glnu_norm", "SizeZoneNonUniformity": "zsnu",
    "SizeZoneNonUniformityNormalized": "zsnu_norm", "ZonePercentage": "z_perc", "GrayLevelVariance": "gl_var",
    "ZoneVariance": "zs_var", "ZoneEntropy": "zs_entr",
}  # fmt: skip
_DEPENDENCES = {
    "SmallDependenceEmphasis": "lde", "LargeDependenceEmphasis": "hde", "LowGrayLevelEmphasis": "lgce",
    "HighGrayLevelEmphasis": "hgce", "SmallDependenceLowGrayLevelEmphasis": "ldlge",
    "SmallDependenceHighGrayLevelEmphasis": "ldhge", "LargeDependenceLowGrayLevelEmphasis": "hdlge",
    "LargeDependenceHighGrayLevelEmphasis": "hdhge", "GrayLevelNonUniformity": "glnu",
    "DependenceNonUniformity": "dcnu", "DependenceNonUniformityNormalized": "dcnu_norm",
    "GrayLevelVariance": "gl_var", "DependenceVariance": "dc_var", "DependenceEntropy": "dc_entr",
}  # fmt: skip
_TONES = ("Coarseness", "Contrast", "Busyness", "Complexity", "Strength")

NAMES = {
    **{f"firstorder_{k}": v for k, v in _FIRST.items()},
    **{f"shape_{k}": f"morph_{v}" for k, v in _SHAPE.items()},
    **{f"glcm_{k}": f"cm_{v}_3D_avg" for k, v in _PAIRS.items()},
    **{f"glrlm_{k}": f"rlm_{v}_3D_avg" for k, v in _RUNS.items()},
    **{f"glszm_{k}": f"szm_{v}_3D" for k, v in _ZONES.items()},
    **{f"gldm_{k}": f"ngl_{v}_3D" for k, v in _DEPENDENCES.items()},
    **{f"ngtdm_{k}": f"ngt_{k.lower()}_3D" for k in _TONES},
}
"""PyRadiomics' name, without ``original_``, to the tag here."""

_AXES = "the covariance of positions divides by n there, by n - 1 in the reference values"
WHY = {
    "shape_LeastAxisLength": _AXES,
    "shape_MajorAxisLength": _AXES,
    "shape_MinorAxisLength": _AXES,
}
