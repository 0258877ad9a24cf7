/**
 * Returns for each node of a graph the number of its strongly connected component, by Tarjan's algorithm without recursion. A
 * component is numbered before those that lead to it.
 *
 * @param edges - For each node, the targets of its edges.
 */
export function stronglyConnected(edges: readonly (readonly number[])[]): Int32Array {
  const component = new Int32Array(edges.length).fill(-1);
  const index = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const stack: number[] = [];
  const work: { node: number; edge: number }[] = [];
  let [nextIndex, componentCount] = [0, 0];
  const enter = (node: number) => {
    index[node] = low[node] = nextIndex++;
    stack.push(node);
    work.push({ node, edge: 0 });
  };
  for (let root = 0; root < edges.length; root++) {
    if (index[root] === -1) enter(root);
    for (let frame = work.at(-1); frame; frame = work.at(-1)) {
      const { node } = frame;
      const to = edges[node]![frame.edge++];
      if (to !== undefined) {
        if (index[to] === -1) enter(to);
        else if (component[to] === -1) low[node] = Math.min(low[node]!, index[to]!);
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!);
      if (low[node] !== index[node]) continue;
      for (let member = -1; member !== node; component[member] = componentCount) member = stack.pop()!;
      componentCount += 1;
    }
  }
  return component;
}
