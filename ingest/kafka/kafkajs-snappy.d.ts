declare module 'kafkajs-snappy' {
  const codec: () => { readonly decompress: (bytes: Buffer) => Promise<Buffer> };
  export default codec;
}
