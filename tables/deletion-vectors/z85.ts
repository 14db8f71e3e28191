/**
 * Bytes as text that JSON takes as it is: five characters for four bytes.
 *
 * Source: ZeroMQ RFC 32, "Z85".
 */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const DIGITS = new Map(Array.from(ALPHABET, (character, digit) => [character, digit]));
const CHARACTERS = 5;
const BYTES = 4;

/**
 * @throws SyntaxError
 * @example decodeZ85('HelloWorld') // 86 4f d2 6f b5 59 f7 5b
 */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % CHARACTERS !== 0) throw new SyntaxError(`Z85 text of ${String(text.length)} characters`);
  const bytes = new Uint8Array((text.length / CHARACTERS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group * CHARACTERS < text.length; group++) {
    let value = 0;
    for (const character of text.slice(group * CHARACTERS, (group + 1) * CHARACTERS)) {
      const digit = DIGITS.get(character);
      if (digit === undefined) throw new SyntaxError(`Z85 text with the character ${JSON.stringify(character)}`);
      value = value * ALPHABET.length + digit;
    }
    if (value >= 2 ** 32) throw new SyntaxError('Z85 text with a group that is no 32-bit number');
    view.setUint32(group * BYTES, value);
  }
  return bytes;
}

/**
 * @param bytes a multiple of four of them
 * @example encodeZ85(Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b)) // 'HelloWorld'
 */
export function encodeZ85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at < bytes.length; at += BYTES) {
    let value = view.getUint32(at);
    let group = '';
    for (let i = 0; i < CHARACTERS; i++) {
      group = `${ALPHABET[value % ALPHABET.length] ?? ''}${group}`;
      value = Math.floor(value / ALPHABET.length);
    }
    text += group;
  }
  return text;
}
