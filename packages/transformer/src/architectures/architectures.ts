import type { Architecture } from "./architecture.js";
import { apertus } from "./apertus.js";
import { arcee } from "./arcee.js";
import { bamba } from "./bamba.js";
import { bioGpt } from "./biogpt.js";
import { bloom } from "./bloom.js";
import { blt } from "./blt.js";
import { codegen } from "./codegen.js";
import { cohere } from "./cohere.js";
import { cohere2 } from "./cohere2.js";
import { cwm } from "./cwm.js";
import { deepseekV2 } from "./deepseek-v2.js";
import { deepseekV3 } from "./deepseek-v3.js";
import { deepseekV32 } from "./deepseek-v32.js";
import { diffllama } from "./diffllama.js";
import { dots1 } from "./dots1.js";
import { ernie45 } from "./ernie4-5.js";
import { ernie45Moe } from "./ernie4-5-moe.js";
import { exaone4 } from "./exaone4.js";
import { falconH1 } from "./falcon-h1.js";
import { falconMamba } from "./falcon-mamba.js";
import { falcon } from "./falcon.js";
import { gemma3nText } from "./gemma3n-text.js";
import { gemma4Text } from "./gemma4-text.js";
import { glm } from "./glm.js";
import { glm4Moe } from "./glm4-moe.js";
import { glm4 } from "./glm4.js";
import { gptNeo } from "./gpt-neo.js";
import { gptNeox } from "./gpt-neox.js";
import { gptOss } from "./gpt-oss.js";
import { gptj } from "./gptj.js";
import { graniteMoeHybrid } from "./granite-moe-hybrid.js";
import { graniteMoeShared } from "./granite-moe-shared.js";
import { granite } from "./granite.js";
import { graniteMoe } from "./granitemoe.js";
import { helium } from "./helium.js";
import { hunyuanV1Dense } from "./hunyuan-v1-dense.js";
import { jamba } from "./jamba.js";
import { lfm2Moe } from "./lfm2-moe.js";
import { lfm2 } from "./lfm2.js";
import { llama4Text } from "./llama4-text.js";
import { mamba } from "./mamba.js";
import { mamba2 } from "./mamba2.js";
import { minicpm3 } from "./minicpm3.js";
import { miniMax } from "./minimax.js";
import { miniMaxM2 } from "./minimax-m2.js";
import { mpt } from "./mpt.js";
import { nemotronH } from "./nemotron-h.js";
import { nemotron } from "./nemotron.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { olmo3 } from "./olmo3.js";
import { olmoe } from "./olmoe.js";
import { opt } from "./opt.js";
import { phi } from "./phi.js";
import { qwen2Moe } from "./qwen2-moe.js";
import { qwen35 } from "./qwen3-5.js";
import { qwen3Next } from "./qwen3-next.js";
import { rwkv7 } from "./rwkv7.js";
import { seedOss } from "./seed-oss.js";
import { smollm3 } from "./smollm3.js";
import { stablelm } from "./stablelm.js";
import { starcoder2 } from "./starcoder2.js";
import { vaultGemma } from "./vaultgemma.js";
import { afmoe } from "./afmoe.js";
import { exaoneMoe } from "./exaone-moe.js";
import { flexOlmo } from "./flex-olmo.js";
import { glm4MoeLite } from "./glm4-moe-lite.js";
import { hunyuanV1Moe } from "./hunyuan-v1-moe.js";
import { jais2 } from "./jais2.js";
import { ministral } from "./ministral.js";
import { ministral3 } from "./ministral3.js";
import { nanochat } from "./nanochat.js";
import { qwen35Moe } from "./qwen3-5-moe.js";
import { solarOpen } from "./solar-open.js";
import { youtu } from "./youtu.js";

/** The architectures that are loaded and exported by tables. If several can represent a model, exports use the first. */
export const architectures: readonly Architecture[] = [
  apertus,
  arcee,
  bioGpt,
  bloom,
  blt,
  cohere,
  cohere2,
  cwm,
  deepseekV3,
  deepseekV32,
  diffllama,
  ernie45,
  ernie45Moe,
  exaone4,
  falcon,
  falconH1,
  gemma3nText,
  gemma4Text,
  glm,
  glm4,
  gptNeo,
  gptNeox,
  gptOss,
  gptj,
  codegen,
  granite,
  helium,
  mpt,
  nemotron,
  llama4Text,
  minicpm3,
  olmo,
  olmo2,
  olmo3,
  opt,
  phi,
  seedOss,
  lfm2,
  lfm2Moe,
  mamba,
  falconMamba,
  jamba,
  bamba,
  mamba2,
  graniteMoeHybrid,
  miniMax,
  miniMaxM2,
  nemotronH,
  rwkv7,
  qwen3Next,
  qwen35,
  smollm3,
  stablelm,
  starcoder2,
  vaultGemma,
  deepseekV2,
  dots1,
  glm4Moe,
  graniteMoe,
  graniteMoeShared,
  hunyuanV1Dense,
  olmoe,
  qwen2Moe,
  afmoe,
  exaoneMoe,
  flexOlmo,
  glm4MoeLite,
  hunyuanV1Moe,
  jais2,
  ministral,
  ministral3,
  nanochat,
  qwen35Moe,
  solarOpen,
  youtu,
];
