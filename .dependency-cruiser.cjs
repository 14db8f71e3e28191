/**
 * The import rules of docs/design.md, as errors. A folder may import what stands below it and nothing else; each SDK has
 * one folder that knows it. tests/, bench/ and scripts/ may import everything, and nothing imports them back.
 */

/** Each folder and the folders that it may import. */
const LAYERS = {
  core: [],
  engine: ['core'],
  tables: ['core', 'engine'],
  ingest: ['core', 'engine', 'tables'],
  transforms: ['core', 'engine', 'tables', 'ingest'],
  query: ['core', 'engine', 'tables'],
  features: ['core', 'engine', 'tables', 'query'],
  cli: ['core', 'engine', 'tables', 'ingest', 'transforms', 'query', 'features'],
};
const LIBRARY = '^(core|engine|tables|ingest|transforms|query|features)/';
const PRODUCT = '^(core|engine|tables|ingest|transforms|query|features|cli)/';

const layerRules = Object.entries(LAYERS).map(([folder, below]) => ({
  name: `${folder}-imports`,
  comment: below.length === 0 ? `${folder}/ imports no other folder` : `${folder}/ imports only ${below.join(', ')}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { path: '^[^/]+/', pathNot: `^(${[folder, ...below, 'node_modules'].join('|')})/`, dependencyTypes: ['local'] },
}));

/** Only one folder of the product knows the package. */
const sdk = (name, packages, folder) => ({
  name,
  comment: `only ${folder}/ imports ${packages}`,
  severity: 'error',
  from: { path: PRODUCT, pathNot: `^${folder}/` },
  to: { path: `(^|node_modules/)(${packages})(/|$)` },
});

module.exports = {
  forbidden: [
    ...layerRules,
    sdk('kafka-in-one-folder', 'kafkajs|kafkajs-snappy|lz4-napi|@bokuweb/zstd-wasm', 'ingest/kafka'),
    sdk('duckdb-in-one-folder', '@duckdb', 'engine'),
    sdk('aws-in-one-folder', '@aws-sdk|@smithy', 'tables/store/s3'),
    sdk('commander-in-one-folder', 'commander', 'cli'),
    {
      name: 'aws-on-demand',
      comment: 'the SDK is loaded when S3 is first asked: commands on a local lake start without it',
      severity: 'error',
      from: { path: PRODUCT },
      to: { path: '^tables/store/s3/requests\\.ts$', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-child-processes',
      comment: 'the product is one process; programs are started by tests, benches and scripts only',
      severity: 'error',
      from: { path: LIBRARY },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'files-through-the-store',
      comment: 'a table reaches its files through tables/store/ alone, so that another storage is a one-folder change',
      severity: 'error',
      from: { path: '^(core|engine|tables)/', pathNot: '^tables/store/' },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'tables-through-the-front-door',
      comment: 'other folders use what tables/index.ts exports: it is a library of its own',
      severity: 'error',
      from: { path: '^(ingest|transforms|query|features|cli)/' },
      to: { path: '^tables/', pathNot: '^tables/index\\.ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'two modules that need each other are one module, or hide a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'nothing imports it and it imports nothing: dead, or in the wrong place',
      severity: 'error',
      from: { orphan: true, pathNot: ['^[^/]+$', '\\.test\\.ts$', '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'no-unresolvable',
      comment: 'every import leads somewhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-packages',
      comment: 'what users install has only the packages of "dependencies"',
      severity: 'error',
      from: { path: PRODUCT },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.cache|coverage|demo-lake)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
