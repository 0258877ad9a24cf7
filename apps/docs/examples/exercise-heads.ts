import { multiHead } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { randn, tensorsOf } from "@qkv/tensor";

// Choose the number of heads. The embedding keeps its size.
const numHeads = 3;

const config = { embedDim: 48, numHeads };
const layer = multiHead(config);
const params = layer.init(1);
const count = tensorsOf(params).reduce((sum, { data }) => sum + data.length, 0);
const { headDim } = layer.config;
print(`${numHeads} heads of size ${headDim}, ${count} weights`);
layer.apply(params, randn([1, 4, 48], { seed: 1 }));

check("a head has at most 8 numbers, so there are many heads", headDim <= 8);
check("the head size is even, as rotary embeddings need", headDim % 2 === 0);
check("there are as many weights as with one head", count === 4 * 48 * 48);
