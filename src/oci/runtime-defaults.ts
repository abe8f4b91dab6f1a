/**
 * The parts of a runtime's `config.json` that no image decides, as `runc spec` and `runc spec --rootless` write them.
 */

type Mount = {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
}

type IdMapping = { readonly containerID: number; readonly hostID: number; readonly size: number }

/** The parts of the OCI runtime-spec's `config.md` that are filled here. */
export type RuntimeConfig = {
  readonly ociVersion: string
  readonly process: {
    readonly terminal: boolean
    readonly user: {
      readonly uid: number
      readonly gid: number
      readonly additionalGids?: readonly number[]
    }
    readonly args: readonly string[]
    readonly env: readonly string[]
    readonly cwd: string
    readonly capabilities: Readonly<Record<string, readonly string[]>>
    readonly rlimits: readonly { readonly type: string; readonly hard: number; readonly soft: number }[]
    readonly noNewPrivileges: boolean
  }
  readonly root: { readonly path: string; readonly readonly: boolean }
  readonly hostname: string
  readonly mounts: readonly Mount[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly linux: {
    readonly uidMappings?: readonly IdMapping[]
    readonly gidMappings?: readonly IdMapping[]
    readonly resources?: { readonly devices: readonly { readonly allow: boolean; readonly access: string }[] }
    readonly namespaces: readonly { readonly type: string }[]
    readonly maskedPaths: readonly string[]
    readonly readonlyPaths: readonly string[]
  }
}

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

const PROCESS: RuntimeConfig['process'] = {
  terminal: true,
  user: { uid: 0, gid: 0 },
  args: ['sh'],
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
  cwd: '/',
  capabilities: {
    bounding: CAPABILITIES,
    effective: CAPABILITIES,
    permitted: CAPABILITIES,
    ambient: CAPABILITIES,
  },
  rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
  noNewPrivileges: true,
}

function mount(destination: string, type: string, source: string, options: string): Mount {
  return { destination, type, source, options: options.split(',') }
}

const PROC: Mount = { destination: '/proc', type: 'proc', source: 'proc' }
const DEV = mount('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k')
const SHM = mount('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k')
const MQUEUE = mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev')
const CGROUP = mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid,noexec,nodev,relatime,ro')
const PTS = 'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620'

const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/proc/scsi',
]
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const namespaces = (types: string) => types.split(',').map((type) => ({ type }))

export const DEFAULT_SPEC: RuntimeConfig = {
  ociVersion: '1.2.0',
  process: PROCESS,
  root: { path: 'rootfs', readonly: false },
  hostname: 'lamina',
  mounts: [
    PROC,
    DEV,
    mount('/dev/pts', 'devpts', 'devpts', `${PTS},gid=5`),
    SHM,
    MQUEUE,
    mount('/sys', 'sysfs', 'sysfs', 'nosuid,noexec,nodev,ro'),
    CGROUP,
  ],
  linux: {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: namespaces('pid,network,ipc,uts,mount'),
    maskedPaths: MASKED,
    readonlyPaths: READ_ONLY,
  },
}

/** With the host's network and /sys: a user namespace may mount neither. */
export const ROOTLESS_SPEC: RuntimeConfig = {
  ...DEFAULT_SPEC,
  mounts: [
    PROC,
    DEV,
    mount('/dev/pts', 'devpts', 'devpts', PTS),
    SHM,
    MQUEUE,
    mount('/sys', 'none', '/sys', 'rbind,nosuid,noexec,nodev,ro'),
    CGROUP,
  ],
  linux: {
    namespaces: namespaces('pid,ipc,uts,mount,user'),
    maskedPaths: MASKED,
    readonlyPaths: READ_ONLY,
  },
}
