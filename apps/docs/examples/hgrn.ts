import { hgrn, mix } from "@qkv/attention";
import { check, show, slider } from "@qkv/page";
import { full, ones } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const kept = slider("part of the state kept", {
  min: 0,
  max: 1,
  step: 0.05,
  value: 0.8,
});
const value = ones([1, 1, 32, 1]); // [B, H, T, V]: 1 at every token
const decay = full([1, 1, 32, 1], Math.log(kept));
const { output } = mix(hgrn(), { value, decay });
show(
  lines(
    { data: output.data, shape: [1, 32] },
    { labels: ["state"], xLabel: "token" },
  ),
);

// A sum that decays cannot pass 1 / (1 − kept).
const most = Math.max(...output.data);
check(
  "the state stays below its limit",
  kept === 1 || most <= 1 / (1 - kept) + 1e-4,
);
check("the state does not grow with every token", kept === 1 || most < 31);
