"""Which words of a description may stay: those that are known to say what was examined and how, never who."""

import re
from collections.abc import Collection

WORDS = frozenset(
    """
    abdomen abdominal ac acetabulum achilles adc adrenal agent airway ankle anterior anteroposterior aorta aortic ap
    apical appendix arch area arm arterial artery arthro asl atlas ax axi axial axilla axis b0 b1 back background
    baseline bh bilateral biliary biopsy bladder blood body bold bolus bone bowel brachial brain breast bronchial
    calcaneus calcium calf cardiac carotid carpal caudal cava cavity cbf cbv cc ccta cect cerebellum cerebral
    cervical chest cine circle cisternogram clavicle coccyx colon colonography comparison conclusion contrast cor
    coronal coronary couch cr cranial cranio craniocaudal cranium ct cta ctpa ctv cyst dce decubitus delayed dental
    depth diameter diaphragm diffusion distal dixon dorsal dose dsa dti dual duct duodenum dwi dx dynamic ear echo
    elbow enhanced epi epididymis epigastric erect esophagus expiration external extremity eye face facial fast fat
    fatsat fdg femoral femur fetal fetus fiber fibula field filter finding findings finger fistula flair flash
    flexion flow fluid fluorodeoxyglucose fluoroscopy fmri follow foot forearm fov frontal fs fse full functional
    gadolinium gallbladder gd ge gland glute gradient gre grey groin gtv hand hd head heart heel height hemi
    hemithorax hepatic high hip hippocampus hrct humerus hypophysis iac iliac image images immobilisation implant
    impression indication inferior inhale injection insertion inspiration internal intestine iodinated iodine ir iso
    isotropic iv jaw joint kidney kidneys knee kub lac lao laryngeal larynx lat lateral lcc left leg legs length
    lens lesion ligament limb lipid liver lmlo lobe localiser localizer long loop lordotic low lower lpo ls lspine
    lumbar lumbosacral lung lungs lymph magnitude mammary mammography mandible map mastoid max maxilla maxillofacial
    mean measurement medial mediastinum medium meniscus mesenteric mg midfoot minip mip ml mlo mode motion mpr
    mprage mra mrcp mri mrv multi muscle myelogram nac nasal navigator neck necrosis neonatal nerve nm nodule
    noise normal nose oar oblique occipital ocular odontoid op open opening optic oral orbit orbital orbits ovary pa
    palate pancreas panoramic parathyroid parietal parotid partial patella pd pelvic pelvis penis perfusion perineum
    periphery pet phantom pharynx phase pituitary placenta plain plane plantar pleura portable portal post
    postcontrast posterior posteroanterior pre precontrast prone prostate protocol proximal pt ptv pulmonary qc
    quadrant quadriceps radial radius range rao rapid ratio raw rcc recon reconstruction rectal rectum reduced
    reference reformat reformatted region relative renal report resolution respiratory rest resting rf rib ribs
    right rmlo roi rotation routine rpo rt sacral sacroiliac sacrum sag sagittal saturation scan scaphoid scapula
    scout screening scrotum se seg segment sella sensitivity sequence series shoulder sinus sinuses skeletal skin
    skull slab slice small soft space spectroscopy spgr spin spinal spine spir spleen splenic spot sr standard
    static stent stereo sternum stir stomach stress subclavian subtraction superior supine survey swallow swi tail
    technetium technique temporal tendon test testis thick thigh thin thoracic thorax thumb thymus thyroid tibia
    time tir tissue tmj toe tof tomo tomosynthesis tongue total trace trachea tracking trans transverse trauma trunk
    tse tube tumor tumour turbo ulna ultrasound umbilical unenhanced upper upright ureter urethra urinary urography
    us uterus vagina valve vascular vein veins venous ventral ventricle ventricles vertebra vertebrae vertebral
    vessel vibe view views visceral voiding volume wall warped water wb weight weighted whole width window with
    without wo wrist xa xr xray zone zoom mr
    """.split()  # noqa: SIM905 - a list of 400 quoted words is harder to read and to keep sorted
)
"""Anatomy, directions, sequences, phases and views, folded; nothing that is mainly a name of people or places."""

TECHNICAL = re.compile(
    r"t1w?|t2w?|t2\*|[234]d|[bhfujqdi]\d{2}[a-z]?|[ctls]\d{1,2}|b\d{1,4}|\d{1,3}(?:[.,]\d{1,2})?(?:mm|cm|ms|sec|min|kv|kvp|mas|mhz|deg|hz|t|ml|hu|x)"
)
"""Weightings, kernels, vertebrae, b-values, and numbers of at most three digits with their unit."""

TOKEN = re.compile(r"[^\W_]+(?:[.,][0-9]+[^\W_]*)?\*?")


def clean_words(text: str, forbidden: Collection[str] = ()) -> str:
    """Return the words of a description that are known to be medical or technical, in their order.

    Parameters
    ----------
    text : str
    forbidden : collection of str
        Folded words that do not stay although they are known, such as the parts of this patient's name.

    Returns
    -------
    str
        Empty where nothing may stay.

    Notes
    -----
    A list of what may stay errs towards removing: a misspelt name cannot pass it, a rare examination loses its
    name. Bare numbers never stay.

    Examples
    --------
    >>> clean_words("CT Chest w/o contrast, Miller 12.03.1950")
    'CT Chest contrast'
    """
    kept = (word for word in TOKEN.findall(text) if known_word(word) and word.casefold() not in forbidden)
    return " ".join(kept)


def known_word(word: str) -> bool:
    """Tell whether a word is one that descriptions may keep."""
    folded = word.casefold()
    return folded in WORDS or TECHNICAL.fullmatch(folded) is not None
