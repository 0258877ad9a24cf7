import {
  act,
  Component,
  createElement,
  StrictMode,
  Suspense,
  useState,
  type FunctionComponent,
  type ReactNode,
} from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { properties, useAttention, useEmbedding, useGenerate, useModel } from "./index.js";

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}

/** A runtime whose loads, tokens and embeddings the test resolves by hand. */
function manualRuntime() {
  const loads: {
    options: { signal: AbortSignal; onProgress: (progress: object) => void };
    resolve: (model: object) => void;
    reject: (error: unknown) => void;
  }[] = [];
  const words: { signal: AbortSignal; give: (text: string | undefined) => void }[] = [];
  const embeds: { texts: readonly string[]; signal: AbortSignal; resolve: (vectors: number[][]) => void }[] =
    [];
  return {
    loads,
    words,
    embeds,
    load: (_: string, options: object = {}) =>
      new Promise<object>((resolve, reject) => loads.push({ options: options as never, resolve, reject })),
    async *generate(_: object, __: string, options: { signal?: AbortSignal; maxTokens?: number } = {}) {
      for (;;) {
        const text = await new Promise<string | undefined>((give) =>
          words.push({ signal: options.signal!, give }),
        );
        if (text === undefined) return;
        yield { text };
      }
    },
    embed: (_: object, texts: readonly string[], options: { signal?: AbortSignal } = {}) =>
      new Promise<number[][]>((resolve) => embeds.push({ texts, signal: options.signal!, resolve })),
  };
}

let place: HTMLElement;
let root: Root;
let runtime: ReturnType<typeof manualRuntime>;
beforeEach(() => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  document.body.innerHTML = "<main></main>";
  place = document.querySelector("main")!;
  root = createRoot(place);
  runtime = manualRuntime();
});
afterEach(async () => {
  await act(async () => root.unmount());
});

const text = () => place.textContent;
const render = (node: ReactNode) => act(async () => root.render(node));
const settled = () => act(async () => new Promise((resolve) => setTimeout(resolve, 10)));
const strict = (component: FunctionComponent) => createElement(StrictMode, null, createElement(component));

const Status: FunctionComponent = () => {
  const { status, progress, error } = useModel("a", { runtime });
  const bytes = progress && ` ${progress.loaded}/${progress.total}`;
  return createElement("p", null, status, bytes, error === undefined ? "" : ` ${(error as Error).message}`);
};

test("in strict mode, which mounts twice, a model is loaded once for all components, with its progress", async () => {
  await render(createElement(StrictMode, null, createElement(Status), createElement(Status)));
  await settled();
  expect([runtime.loads.length, text()]).toEqual([1, "loadingloading"]);
  const [{ options, resolve }] = runtime.loads as [(typeof runtime.loads)[0]];
  await act(async () => options.onProgress({ source: "a", loaded: 3, total: 4 }));
  expect(text()).toBe("loading 3/4loading 3/4");
  await act(async () => resolve({}));
  expect([text(), options.signal.aborted, runtime.loads.length]).toEqual(["ready 3/4ready 3/4", false, 1]);
});

test("a model is disposed when the last component unmounts, and a pending load is aborted", async () => {
  let disposed = 0;
  await render(strict(Status));
  await act(async () => runtime.loads[0]!.resolve({ dispose: () => (disposed += 1) }));
  await render(null);
  await settled();
  expect(disposed).toBe(1);
  await render(strict(Status));
  expect(runtime.loads.length).toBe(2);
  await render(null);
  await settled();
  expect(runtime.loads[1]!.options.signal.aborted).toBe(true);
});

test("a source function is called once; a promise as the source is refused", async () => {
  let calls = 0;
  const later = async () => {
    calls += 1;
    return "a";
  };
  const Later = () => createElement("p", null, useModel(later, { runtime }).status);
  await render(createElement(StrictMode, null, createElement(Later), createElement(Later)));
  await settled();
  expect([calls, runtime.loads.length, text()]).toEqual([1, 1, "loadingloading"]);
  const messages: string[] = [];
  const Made = () => {
    try {
      return createElement("p", null, useModel(later() as never, { runtime }).status);
    } catch (error) {
      messages.push((error as Error).message);
      return null;
    }
  };
  await render(createElement(Made));
  expect(messages[0]).toMatch(
    /^useModel: `source` is a promise.*\nFix: pass the function itself: `useModel\(modelTiny\)`/,
  );
});

test("an error is part of the state, and `retry` loads again; without a source nothing is loaded", async () => {
  const Retry = () => {
    const { status, retry } = useModel("b", { runtime });
    const none = useModel(null, { runtime });
    return createElement("button", { onClick: retry }, status, " ", none.status);
  };
  await render(strict(Retry));
  await act(async () => runtime.loads[0]!.reject(new Error("no such model")));
  expect(text()).toBe("error idle");
  await act(async () => place.querySelector("button")!.click());
  expect([text(), runtime.loads.length]).toEqual(["loading idle", 2]);
  await act(async () => runtime.loads[1]!.resolve({}));
  expect(text()).toBe("ready idle");
});

/** An error boundary that a button resets. */
class Boundary extends Component<{ children?: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError = (error: Error) => ({ error });
  override render(): ReactNode {
    const { error } = this.state;
    const reset = () => this.setState({ error: undefined as never });
    return error ? createElement("button", { onClick: reset }, error.message) : this.props.children;
  }
}

const Suspended: FunctionComponent = () => {
  const { model } = useModel("c", { runtime, suspense: true });
  return createElement("p", null, (model as { name?: string }).name);
};
const suspending = () =>
  createElement(
    StrictMode,
    null,
    createElement(
      Boundary,
      null,
      createElement(Suspense, { fallback: "waiting" }, createElement(Suspended), createElement(Suspended)),
    ),
  );

test("with suspense a component waits for the model, which is loaded once", async () => {
  await render(suspending());
  expect([text(), runtime.loads.length]).toEqual(["waiting", 1]);
  let disposed = 0;
  await act(async () => runtime.loads[0]!.resolve({ name: "ours", dispose: () => (disposed += 1) }));
  expect([text(), runtime.loads.length]).toEqual(["oursours", 1]);
  await settled();
  expect(disposed).toBe(0);
  await render(null);
  await settled();
  expect(disposed).toBe(1);
});

test("with suspense an error goes to the boundary, and a boundary that is reset tries again", async () => {
  const { error } = console;
  console.error = () => undefined; // React reports what a boundary caught
  try {
    await render(suspending());
    await act(async () => runtime.loads[0]!.reject(new Error("no such model")));
    await settled();
    expect([text(), runtime.loads.length]).toEqual(["no such model", 1]);
    await act(async () => place.querySelector("button")!.click());
    expect([text(), runtime.loads.length]).toEqual(["waiting", 2]);
    await act(async () => runtime.loads[1]!.resolve({ name: "ours" }));
    expect(text()).toBe("oursours");
  } finally {
    console.error = error;
  }
});

test("a component renders with each token; stop keeps the text, and the functions stay the same", async () => {
  const seen = new Set<unknown>();
  const model = {};
  const Story = () => {
    const { status, text, generate, stop, reset } = useGenerate(model, { runtime });
    for (const each of [generate, stop, reset]) seen.add(each);
    return createElement(
      "div",
      null,
      createElement("p", null, `${status} ${text}`),
      createElement("button", { id: "go", onClick: () => void generate("once", { maxTokens: 5 }) }),
      createElement("button", { id: "stop", onClick: stop }),
      createElement("button", { id: "reset", onClick: reset }),
    );
  };
  const press = (id: string) => act(async () => place.querySelector<HTMLElement>(`#${id}`)!.click());
  const give = async (word: string | undefined) => {
    await act(async () => runtime.words.at(-1)!.give(word));
    await settled();
  };
  await render(strict(Story));
  expect(text()).toBe("idle ");
  await press("go");
  await give("a");
  await give("b");
  expect(text()).toBe("running ab");
  await press("stop");
  expect([text(), runtime.words.at(-1)!.signal.aborted]).toEqual(["stopped ab", true]);
  await press("go");
  await give("c");
  await give(undefined);
  expect(text()).toBe("done c");
  await press("reset");
  expect(text()).toBe("idle ");
  // Strict mode makes the store twice at first.
  expect(seen.size).toBeLessThanOrEqual(6);
  await press("go");
  const { signal } = runtime.words.at(-1)!;
  await render(null);
  await settled();
  expect(signal.aborted).toBe(true);
});

test("embeddings follow the texts, computed once for each also in strict mode, and outdated ones are aborted", async () => {
  const model = {};
  let set: (text: string) => void = () => undefined;
  const Vectors = () => {
    const [word, setWord] = useState("a");
    set = setWord;
    const { status, result } = useEmbedding(model, [word, "z"], { runtime });
    return createElement("p", null, `${status} ${JSON.stringify(result)}`);
  };
  await render(strict(Vectors));
  await settled();
  expect(runtime.embeds.map(({ texts }) => texts)).toEqual([["a", "z"]]);
  await act(async () => runtime.embeds[0]!.resolve([[1], [2]]));
  expect(text()).toBe("done [[1],[2]]");
  await act(async () => set("b"));
  expect(text()).toBe("running [[1],[2]]");
  await act(async () => set("c"));
  await settled();
  expect(runtime.embeds.map(({ texts }) => texts[0])).toEqual(["a", "b", "c"]);
  expect(runtime.embeds.slice(1).map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await act(async () => runtime.embeds[2]!.resolve([[3]]));
  expect(text()).toBe("done [[3]]");
  await act(async () => set("d"));
  await settled();
  await render(null);
  await settled();
  expect(runtime.embeds.at(-1)!.signal.aborted).toBe(true);
});

test("without a model nothing is computed", async () => {
  const Nothing = () => {
    const { status } = useEmbedding(undefined, ["a"], { runtime });
    const attention = useAttention(undefined, "a");
    const { generate } = useGenerate(undefined as object | undefined, { runtime });
    return createElement("button", { onClick: () => void generate("once") }, status, attention.status);
  };
  await render(strict(Nothing));
  await act(async () => place.querySelector("button")!.click());
  await settled();
  expect([text(), runtime.embeds.length, runtime.words.length]).toEqual(["idleidle", 0, 0]);
});

test("useAttention returns weights with their tokens, or an error", async () => {
  const { decoder } = await import("@qkv/transformer");
  const made = decoder({
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 8, normEps: 1e-5, stopIds: [] },
  });
  const model = { config: made.config, params: made.init(1), tokenizer: undefined, apply: made.apply };
  const Heads = ({ of }: { of: object }) => {
    const { status, result } = useAttention(of, [3, 1, 4]);
    return createElement("p", null, `${status} ${JSON.stringify(result?.weights.shape)}`);
  };
  await render(createElement(StrictMode, null, createElement(Heads, { of: model })));
  await settled();
  expect(text()).toBe("done [2,2,3,3]");
  await render(createElement(StrictMode, null, createElement(Heads, { of: {} })));
  await settled();
  expect(text()).toBe("error undefined");
});

test("`properties` sets the properties of an element when it is there", async () => {
  const args = [{ data: [1], shape: [1] }];
  await render(createElement("qkv-any", { ref: properties({ args }) }));
  expect((place.querySelector("qkv-any") as unknown as { args: unknown }).args).toBe(args);
  await render(null);
  expect(text()).toBe("");
});
