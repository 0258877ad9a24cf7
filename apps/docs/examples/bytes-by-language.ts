import { check, print, show } from "@qkv/page";
import { byteLevelBpe } from "@qkv/tokenizer";
import { bytesPerToken } from "@qkv/tokenizer/tracing";
import { trainBpe } from "@qkv/tokenizer/training";
import { bars } from "@qkv/viz";

// The first sentence of the Universal Declaration of Human Rights.
const texts = {
  English: "All human beings are born free and equal in dignity and rights.",
  German: "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
  Spanish:
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
  Russian:
    "Все люди рождаются свободными и равными в своем достоинстве и правах.",
  Greek:
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
  Hindi:
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
  Chinese: "人人生而自由，在尊严和权利上一律平等。",
};

// A vocabulary that was trained on English and nothing else.
const english = `${texts.English} They are endowed with reason and conscience and should
act towards one another in a spirit of brotherhood. Everyone is entitled to all the rights
and freedoms, without distinction of any kind. Everyone has the right to life, liberty and
the security of person. No one shall be held in slavery. All are equal before the law.`;
const tokenizer = byteLevelBpe(await trainBpe([english], { vocabSize: 420 }));

const costs = bytesPerToken(tokenizer, texts);
const labels = costs.map(({ name }) => name);
const picture = (data: number[], title: string) =>
  show(bars({ data, shape: [data.length] }, { labels, title }));
picture(
  costs.map((cost) => cost.bytesPerToken),
  "Bytes per token",
);
picture(
  costs.map(({ tokens }) => tokens),
  "Tokens for the same sentence",
);

const [few, ...others] = costs.map(({ tokens }) => tokens);
const times = others.map((tokens) => tokens / (few ?? NaN));
print(
  "tokens compared with English (= 1):",
  times.map((x) => Number(x.toFixed(1))),
);
check(
  "every other language needs more than twice the tokens",
  Math.min(...times) > 2,
);
check(
  "three need more than nine times the tokens",
  times.filter((x) => x > 9).length >= 3,
);
