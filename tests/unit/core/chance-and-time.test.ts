import { expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../core/clock.ts';
import { EXIT_CODES, messageOf, SluiceError, systemCodeOf } from '../../../core/errors.ts';
import { seededRandom, systemRandom } from '../../../core/random.ts';
import { suggest } from '../../../core/suggest.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

test('a seed gives the same sequence for ever, and another seed another one', () => {
  const five = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random.int(1000));
  };
  expect(five(42)).toEqual(five(42));
  expect(five(42)).not.toEqual(five(43));
  expect(five(2 ** 40 + 42)).not.toEqual(five(42));
  expect(five(42)).toEqual([666, 272, 513, 4, 970]);
});

test('chance stays in its bounds and reaches all of them', () => {
  for (const random of [seededRandom(7), systemRandom]) {
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const n = random.next();
      expect(n >= 0 && n < 1).toBe(true);
      seen.add(random.int(6));
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const uuids = new Set(Array.from({ length: 200 }, () => random.uuid()));
    expect(uuids.size).toBe(200);
    for (const uuid of uuids) expect(uuid).toMatch(UUID);
  }
});

test('a clock set by hand moves when it sleeps, and an aborted sleep rejects with the reason', async () => {
  const clock = new ManualClock(1000);
  await clock.sleep(50);
  clock.advance(5);
  expect(clock.nowMs()).toBe(1055);
  const stop = new AbortController();
  const slept = systemClock.sleep(60_000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(slept).rejects.toThrow();
  await expect(clock.sleep(1, stop.signal)).rejects.toThrow('enough');
  expect(clock.nowMs()).toBe(1055);
});

test('an error carries its code, its exit code, its facts and its cause', () => {
  const cause = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const error = new SluiceError('STORAGE_FULL', 'disk full', { advice: 'Free some.', facts: { file: 'x' }, cause });
  expect(error).toMatchObject({ code: 'STORAGE_FULL', exitCode: EXIT_CODES.storage, advice: 'Free some.', cause });
  expect(systemCodeOf(cause)).toBe('ENOSPC');
  expect(systemCodeOf('text')).toBeUndefined();
  expect(messageOf('text')).toBe('text');
  expect(messageOf(error)).toBe('disk full');
});

test('a slip of the finger is recognised, another word is not', () => {
  expect(suggest('amout', ['ts', 'amount', 'account'])).toBe('amount');
  expect(suggest('ORDERID', ['order_id', 'orders'])).toBe('order_id');
  expect(suggest('xyz', ['amount', 'customer'])).toBeUndefined();
  expect(suggest('a', [])).toBeUndefined();
});
