export type ExportFormat = 'parquet' | 'csv';
