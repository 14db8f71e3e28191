/** Feature sets: point-in-time correct training sets from the tables of a lake. The public door of this part. */
export { checkFeatureSet } from './check.ts';
export { exportFeatures } from './export.ts';
export { loadFeatureSets, type FeatureSet } from './feature-set.ts';
export { EXPORT_FORMATS, manifestFile, pinnedVersions, type ExportFormat, type Manifest } from './manifest.ts';
