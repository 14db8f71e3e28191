/**
 * A certificate for a server of 127.0.0.1 that lives for one test run, signed by its own key. Made here, since neither Node nor
 * every machine has a tool for it.
 *
 * Source: RFC 5280 (certificates), RFC 5480 (keys of elliptic curves), X.690 (DER).
 */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const [BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8_STRING, UTC_TIME, SEQUENCE, SET] = [
  0x01, 0x02, 0x03, 0x04, 0x06, 0x0c, 0x17, 0x30, 0x31,
] as const;
const [VERSION, EXTENSIONS, IP_ADDRESS] = [0xa0, 0xa3, 0x87] as const;
/** 2.5.4.3, 1.2.840.10045.4.3.2, 2.5.29.19, 2.5.29.17 */
const COMMON_NAME = [0x55, 0x04, 0x03];
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];
const DAY_MS = 86_400_000;

export function loopbackCertificate(nowMs = Date.now()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, der(OID, ECDSA_WITH_SHA256));
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OID, COMMON_NAME), der(UTF8_STRING, Buffer.from('sluice tests')))),
  );
  const isAuthority = der(SEQUENCE, der(BOOLEAN, [0xff]));
  const addresses = der(SEQUENCE, der(IP_ADDRESS, [127, 0, 0, 1]));
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, [2])),
    der(INTEGER, [1]),
    algorithm,
    name,
    der(SEQUENCE, utcTime(nowMs - DAY_MS), utcTime(nowMs + 2 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        der(SEQUENCE, der(OID, BASIC_CONSTRAINTS), der(BOOLEAN, [0xff]), der(OCTET_STRING, isAuthority)),
        der(SEQUENCE, der(OID, ALTERNATIVE_NAME), der(OCTET_STRING, addresses)),
      ),
    ),
  );
  const signature = der(BIT_STRING, [0], sign('sha256', body, privateKey));
  const base64 = der(SEQUENCE, body, algorithm, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A tag, the length, and the contents. */
function der(tag: number, ...contents: (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(contents.map((part) => Uint8Array.from(part)));
  const { length } = body;
  const long = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...long]), body]);
}

function utcTime(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replace(/^..|[-:T]|\..*$/g, '');
  return der(UTC_TIME, Buffer.from(`${text}Z`));
}
