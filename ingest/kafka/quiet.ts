/**
 * Whether a topic has nothing more to give, though its last offset was not reached in the table: its tail may be transaction
 * markers, compacted away, or in a transaction that is still open, and none of these moves a table's position.
 *
 * Promise: says yes only after every broker has answered two fetches in a row with nothing; a fetch that failed does not count.
 */
import type { Consumer } from 'kafkajs';

interface NodeState {
  answered: boolean;
  empties: number;
}

const ENOUGH = 2;

export class Quiet {
  readonly #nodes = new Map<string, NodeState>();

  constructor(consumer: Consumer) {
    const { FETCH_START, REQUEST, START_BATCH_PROCESS } = consumer.events;
    consumer.on(FETCH_START, (event) => {
      const { nodeId } = event.payload as { nodeId: unknown };
      const node = this.#nodes.get(String(nodeId)) ?? { answered: false, empties: 0 };
      node.empties = node.answered ? node.empties + 1 : 0;
      node.answered = false;
      this.#nodes.set(String(nodeId), node);
    });
    consumer.on(REQUEST, ({ payload }) => {
      if (payload.apiName === 'Fetch') for (const node of this.#nodes.values()) node.answered = true;
    });
    consumer.on(START_BATCH_PROCESS, () => {
      this.reset();
    });
  }

  get is(): boolean {
    const nodes = [...this.#nodes.values()];
    return nodes.length > 0 && nodes.every(({ empties }) => empties >= ENOUGH);
  }

  reset(): void {
    this.#nodes.clear();
  }
}
