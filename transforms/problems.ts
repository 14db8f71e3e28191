/** Several errors of one project as one, so that a user mends them in one go. */
import { SluiceError } from '../core/errors.ts';

export class Problems {
  readonly #errors: SluiceError[] = [];

  get none(): boolean {
    return this.#errors.length === 0;
  }

  /** Runs a part of the work; what it throws is kept, and undefined comes back. */
  async collect<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#errors.push(error);
      return undefined;
    }
  }

  /**
   * @throws SluiceError with the code of the first error; its message tells them all.
   */
  throwAny(): void {
    const [first] = this.#errors;
    const last = this.#errors.at(-1);
    if (first === undefined || last === undefined) return;
    if (first === last) throw first;
    const told = this.#errors.map((error) =>
      error === last || error.advice === undefined ? error.message : `${error.message}\n${error.advice}`,
    );
    throw new SluiceError(first.code, `${String(told.length)} errors\n\n${told.join('\n\n')}`, {
      ...(last.advice === undefined ? {} : { advice: last.advice }),
      facts: { ...first.facts, errors: told.length },
      cause: first,
    });
  }
}
