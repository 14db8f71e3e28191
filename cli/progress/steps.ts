/**
 * How far work of several steps is, for people.
 *
 * Promise: pure; what is shown never goes back without a word: another step has another name, and what a step does once more (its next
 * statement, an attempt made anew) is its next pass. A step in several parts has one scale.
 */
import type { Step as TableStep } from '../../tables/index.ts';

/** As tables tell them; verbs have some of their own. */
export interface Step extends Omit<TableStep, 'name'> {
  readonly name: string;
}

export interface Shown {
  /** @example 'writing rows, part 5 of 80' */
  readonly text: string;
  /** Of the step; undefined where DuckDB cannot tell. */
  readonly percent: number | undefined;
}

export class StepProgress {
  #step: Step | undefined;
  #pass = 1;
  #statement: number | undefined;
  #percent: number | undefined;

  begin(step: Step): void {
    const before = this.#step;
    this.#step = step;
    this.#statement = undefined;
    if (before?.name === step.name && step.part > 1) {
      this.#rise(0);
      return;
    }
    this.#pass = before?.name === step.name ? this.#pass + 1 : 1;
    this.#percent = undefined;
  }

  /**
   * @param percent how far the statement is that runs; @param statement which one it is
   * @returns undefined before the first step
   */
  at(percent: number | undefined, statement: number): Shown | undefined {
    const step = this.#step;
    if (step === undefined) return undefined;
    if (percent !== undefined) {
      if (step.parts === 1 && this.#statement !== undefined && this.#statement !== statement) {
        this.#pass++;
        this.#percent = undefined;
      }
      this.#statement = statement;
      this.#rise(percent);
    }
    const part = step.parts === 1 ? '' : `, part ${String(step.part)} of ${String(step.parts)}`;
    const pass = this.#pass === 1 ? '' : `, pass ${String(this.#pass)}`;
    return { text: `${step.name}${part}${pass}`, percent: this.#percent };
  }

  /** @param percent of the part */
  #rise(percent: number): void {
    const { part, parts } = this.#step ?? { part: 1, parts: 1 };
    this.#percent = Math.max(this.#percent ?? 0, ((part - 1 + percent / 100) / parts) * 100);
  }
}
