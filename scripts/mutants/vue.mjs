// Mutants of the composables: effects that run more than once, dependencies, and disposal with a scope. The type check
// finds wrong names of fields in results.
export const mutants = [
  {
    what: "a getter of promises is called by each reader",
    file: "src/use-model.ts",
    in: "useModel",
    find: "const currentSource = computed(() => $source)",
    replace: "const currentSource = { get value() { return $source } }",
  },
  {
    what: "a source of null is loaded",
    file: "src/use-model.ts",
    in: "useModel",
    find: "$given === null || $given === undefined",
    replace: "$given === undefined",
  },
  {
    what: "a list that grows in place is the same list",
    file: "src/use-embedding.ts",
    in: "useEmbedding",
    find: "[...toValue($texts)]",
    replace: "toValue($texts)",
  },
  {
    what: "a generation begins without a model",
    file: "src/use-generate.ts",
    in: "useGenerate",
    find: "$own === undefined ? undefined : store.generate($own, $prompt, $given)",
    replace: "store.generate($own as never, $prompt, $given)",
  },
  {
    what: "attention reads the text once",
    file: "src/use-attention.ts",
    in: "useAttention",
    find: "[{ model: $own, text: toValue($text) }]",
    replace: "[{ model: $own, text: [1, 2] }]",
  },
  {
    what: "a result waits for the first change",
    file: "src/use-result.ts",
    in: "useResult",
    find: "immediate: true",
    replace: "immediate: false",
  },
  {
    what: "a result goes on when its arguments are gone",
    file: "src/use-result.ts",
    in: "useResult",
    find: "if ($given) void store.run(...$given); else store.stop();",
    replace: "if ($given) void store.run(...$given);",
  },
  {
    what: "the store before stays subscribed",
    file: "src/use-store.ts",
    in: "useStore",
    find: "unsubscribe(); unsubscribe = $subscription;",
    replace: "unsubscribe = $subscription;",
  },
  {
    what: "the end of a scope leaves nothing",
    file: "src/use-store.ts",
    in: "useStore",
    find: "onScopeDispose(() => unsubscribe())",
    replace: "onScopeDispose(() => undefined)",
  },
  {
    what: "a component reads on a server",
    file: "src/use-store.ts",
    in: "useStore",
    find: "if (getCurrentInstance()) onMounted(start); else start();",
    replace: "start();",
  },
];
