/** What bench/parquet-writers.ts uses of parquetjs-lite, which comes without types. */
declare module 'parquetjs-lite' {
  interface ColumnDefinition {
    readonly type: string;
    readonly compression?: string;
    readonly optional?: boolean;
  }
  interface Writer {
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  export class ParquetSchema {
    constructor(columns: Readonly<Record<string, ColumnDefinition>>);
  }
  export const ParquetWriter: {
    openFile(schema: ParquetSchema, path: string, options?: { readonly rowGroupSize?: number }): Promise<Writer>;
  };
}
