/**
 * The order of a pipeline: every statement after those that it reads.
 *
 * Promise: pure; the same statements give the same order; a cycle is shown as the way round.
 */
import type { SluiceError } from '../core/errors.ts';

export interface GraphNode {
  readonly name: string;
  /** The names that it reads; those that are no nodes are left alone. */
  readonly inputs: readonly string[];
}

/**
 * @param cycle makes the error for a way round, `['a', 'b', 'a']`
 * @throws what `cycle` makes.
 * @example inOrder([{ name: 'b', inputs: ['a'] }, { name: 'a', inputs: [] }], cycle).map((n) => n.name) // ['a', 'b']
 */
export function inOrder<Node extends GraphNode>(
  nodes: readonly Node[],
  cycle: (way: readonly string[]) => SluiceError,
): Node[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const done = new Set<string>();
  const ordered: Node[] = [];
  const visit = (node: Node, way: readonly string[]): void => {
    if (done.has(node.name)) return;
    const before = way.indexOf(node.name);
    if (before >= 0) throw cycle([...way.slice(before), node.name]);
    for (const input of node.inputs) {
      const next = byName.get(input);
      if (next !== undefined) visit(next, [...way, node.name]);
    }
    done.add(node.name);
    ordered.push(node);
  };
  for (const node of nodes) visit(node, []);
  return ordered;
}
