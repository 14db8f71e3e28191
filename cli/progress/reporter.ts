/** Shows a run while it goes on. There are three: for a terminal, for a log, for a machine. */
import type { RunEvent } from '../../transforms/run/events.ts';

export interface Reporter {
  event(event: RunEvent): void;
  /** A line for people in between, as "stopping…". */
  note(text: string): void;
  /** Gives the terminal back. To be called once, at the end. */
  close(): void;
}
