// An ESLint rule: a test without an assertion cannot fail. Calls of expect…, also `expect.poll`, and of the names in `names`,
// are assertions.

const tests = new Set(["test", "it"]);

/** `test(…)`, `test.each(…)(…)`, `test.skipIf(…).each(…)(…)`: any chain of calls that starts at `test`. */
function isTest(callee) {
  if (callee.type === "Identifier") return tests.has(callee.name);
  if (callee.type === "MemberExpression") return isTest(callee.object);
  if (callee.type === "CallExpression") return isTest(callee.callee);
  return callee.type === "TaggedTemplateExpression" && isTest(callee.tag);
}

const nameOf = (callee) =>
  callee.type === "Identifier"
    ? callee.name
    : callee.type === "MemberExpression" && !callee.computed
      ? callee.property.name
      : "";

/** True if a function asserts: itself, or through a function of the same file that it calls or passes on. */
function asserts(node, names, functions, seen = new Set()) {
  if (node === null || typeof node !== "object" || seen.has(node)) return false;
  seen.add(node);
  if (Array.isArray(node)) return node.some((each) => asserts(each, names, functions, seen));
  if (node.type === "CallExpression") {
    const name = nameOf(node.callee);
    const polls = name === "poll" && node.callee.object?.name === "expect";
    if (name.startsWith("expect") || polls || names.includes(name)) return true;
  }
  if (node.type === "Identifier" && functions.has(node.name)) {
    if (asserts(functions.get(node.name), names, functions, seen)) return true;
  }
  return Object.entries(node).some(
    ([key, value]) => key !== "parent" && asserts(value, names, functions, seen),
  );
}

export default {
  meta: {
    type: "problem",
    docs: { description: "A test asserts something." },
    messages: {
      none: "This test asserts nothing, so it cannot fail. Say with `expect` what must hold.",
    },
    schema: [{ type: "object", properties: { names: { type: "array" } }, required: ["names"] }],
  },
  create(context) {
    const functions = new Map();
    const found = [];
    return {
      FunctionDeclaration(node) {
        if (node.id) functions.set(node.id.name, node.body);
      },
      VariableDeclarator({ id, init }) {
        if (id.type === "Identifier" && /Function/.test(init?.type)) functions.set(id.name, init.body);
      },
      CallExpression(node) {
        const body = node.arguments.findLast(({ type }) => /Function|Identifier/.test(type));
        if (body && node.arguments.length > 1 && isTest(node.callee)) found.push([node, body]);
      },
      "Program:exit"() {
        for (const [node, body] of found) {
          if (!asserts(body, context.options[0].names, functions))
            context.report({ node: node.callee, messageId: "none" });
        }
      },
    };
  },
};
