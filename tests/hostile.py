"""Labels and titles with characters that markup languages interpret."""

from matplotlib.figure import Figure
from matplotlib.text import Text

HOSTILE = (
    "under $5 (10% off $10)",
    "price_$",
    r"$\frac{1}{2}$ \alpha \$x\$",
    "_x_ __y__ a_b *c* **d** ~~e~~",
    "`code` ``more` |x| a|b",
    "[a](http://b) ![c](d) [e]: f [^g] [h][i]",
    "<b>bold</b> <script>x</script> &lt; &amp;x; & ]]>",
    "# heading #",
    "- item",
    "--- '' ,, `` ?` !`",
    "1. first",
    "> quoted",
    "[2,3] star *",
    "* star",
    "{x} {{y}} {% z %} %s ^a ~b \\ \\\\ \\textbf{w} #1",
    "naïve Привет 漢字 😀 👨‍👩‍👧 x² P̂ ½ ﬁ “q” … ế",
)


def shown(figure: Figure) -> set[str]:
    """The texts of a figure as drawn; a formula is marked and given as written."""
    texts = (text._preprocess_math(text.get_text()) for text in figure.findobj(Text))
    return {f"formula {text}" if formula else text for text, formula in texts}
