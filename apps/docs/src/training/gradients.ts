// Computes gradients in a worker, for training in the page.
import { decoder, type DecoderConfig } from "@qkv/transformer";
import { tokenLoss } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import { serveGradients } from "@qkv/worker/training";

serveGradients(async (config: DecoderConfig) => ({ loss: tokenLoss(decoder(config)), device: await wasm() }));
