import type { TypesAnswer, TypesQuestion } from "./types-worker";

let worker: Worker | undefined;
let count = 0;
const waiting = new Map<number, (answer: TypesAnswer) => void>();

/**
 * Sends requests to TypeScript. The page has one worker, which starts with the first request; if it cannot start, the
 * response is undefined.
 */
export function askTypes(
  addresses: { worker: string; types: string },
  question: TypesQuestion,
): Promise<TypesAnswer> {
  if (!worker) {
    worker = new Worker(addresses.worker, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<{ id: number; answer?: TypesAnswer }>) => {
      waiting.get(data.id)?.(data.answer ?? {});
      waiting.delete(data.id);
    };
    worker.onerror = () => {
      waiting.forEach((done) => done({}));
      waiting.clear();
    };
  }
  const id = ++count;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker!.postMessage({ id, types: addresses.types, question });
  });
}
