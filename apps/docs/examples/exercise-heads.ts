import { multiHead } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { randn, tensorsOf } from "@qkv/tensor";

// Choose the number of heads. The width stays.
const numHeads = 3;

const config = { embedDim: 48, numHeads };
const layer = multiHead(config);
const params = layer.init(1);
const count = tensorsOf(params).reduce((sum, { data }) => sum + data.length, 0);
const { headDim } = layer.config;
print(`${numHeads} heads of size ${headDim}, ${count} weights`);
layer.apply(params, randn([1, 4, 48], { seed: 1 }));

check("heads are at most 8 wide, so that there are many of them", headDim <= 8);
check(
  "rotary positions could rotate them: their size is even",
  headDim % 2 === 0,
);
check("and there are as many weights as with one head", count === 4 * 48 * 48);
