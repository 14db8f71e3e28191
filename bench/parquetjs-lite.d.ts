/** What bench/parquet-writers.ts uses of parquetjs-lite, which comes without types. */
declare module 'parquetjs-lite' {
  interface Column {
    readonly type: string;
    readonly compression: string;
    readonly optional: boolean;
  }
  interface Writer {
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquetjs: {
    readonly ParquetSchema: new (columns: Readonly<Record<string, Column>>) => object;
    readonly ParquetWriter: {
      openFile(schema: object, path: string, options: { readonly rowGroupSize: number }): Promise<Writer>;
    };
  };
  export default parquetjs;
}
