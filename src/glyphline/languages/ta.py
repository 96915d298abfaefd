"""Tamil."""

from glyphline.languages import Language
from glyphline.languages._cutting import sentencex_for

LANGUAGE = Language(
    code="ta",
    name="Tamil",
    scripts=("Tamil",),
    split_sentences=sentencex_for("ta"),
    samples=(
        "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; அவர்கள் மதிப்பிலும், உரிமைகளிலும் சமமானவர்கள்.",
        "அவர்கள் நியாயத்தையும் மனச்சாட்சியையும் இயற்பண்பாகப் பெற்றவர்கள்.",
        "10:45 மணி ரயிலின் கட்டணம் 350 ரூபாயா? இல்லை, மிகவும் அதிகம்!",
    ),
    digits="0123456789௦௧௨௩௪௫௬௭௮௯",
    punctuation=".,!?:;()'\"-“”‘’–—…%/",
    addresses=(
        "{number}, {word} தெரு, {place} - {postcode}",
        "எண் {number}, {word} சாலை, {place}",
        "{word} நகர், {place}",
    ),
    places=(
        "சென்னை",
        "மதுரை",
        "கோயம்புத்தூர்",
        "திருச்சி",
        "சேலம்",
        "யாழ்ப்பாணம்",
    ),
    font_packages=("fonts-noto-core",),
)
