/** The names of an ELF file's numbers: section types as readelf prints them, machines as platforms name architectures. */
import type { ElfHeader } from './elf-header.ts'

const TYPES = new Map([
  [1, 'PROGBITS'],
  [2, 'SYMTAB'],
  [3, 'STRTAB'],
  [4, 'RELA'],
  [5, 'HASH'],
  [6, 'DYNAMIC'],
  [7, 'NOTE'],
  [8, 'NOBITS'],
  [9, 'REL'],
  [10, 'SHLIB'],
  [11, 'DYNSYM'],
  [14, 'INIT_ARRAY'],
  [15, 'FINI_ARRAY'],
  [16, 'PREINIT_ARRAY'],
  [17, 'GROUP'],
  [18, 'SYMTAB_SHNDX'],
  [19, 'RELR'],
  [0x6ffffff5, 'GNU_ATTRIBUTES'],
  [0x6ffffff6, 'GNU_HASH'],
  [0x6ffffff7, 'GNU_LIBLIST'],
  [0x6ffffffd, 'VERDEF'],
  [0x6ffffffe, 'VERNEED'],
  [0x6fffffff, 'VERSYM'],
])

const ARM = 40
const X86_64 = 62
const AARCH64 = 183
const RISCV = 243

/** Types that mean something else on each machine. */
const MACHINE_TYPES = new Map([
  [X86_64, new Map([[0x70000001, 'X86_64_UNWIND']])],
  [
    ARM,
    new Map([
      [0x70000001, 'ARM_EXIDX'],
      [0x70000003, 'ARM_ATTRIBUTES'],
    ]),
  ],
  [AARCH64, new Map([[0x70000003, 'AARCH64_ATTRIBUTES']])],
  [RISCV, new Map([[0x70000003, 'RISCV_ATTRIBUTES']])],
])

/** A type without a name is hexadecimal: `0x6fff4700`. */
export function sectionTypeName(type: number, machine: number): string {
  return TYPES.get(type) ?? MACHINE_TYPES.get(machine)?.get(type) ?? `0x${type.toString(16)}`
}

const MACHINES = new Map([
  [2, 'sparc'],
  [3, '386'],
  [4, 'm68k'],
  [20, 'ppc'],
  [ARM, 'arm'],
  [43, 'sparc64'],
  [X86_64, 'amd64'],
  [AARCH64, 'arm64'],
  [247, 'bpf'],
])

/** The platform's architecture; the number if it has no name. */
export function machineName({ machine, class: width, little }: ElfHeader): string {
  const wide = width === 64
  switch (machine) {
    case 8:
      return `mips${wide ? '64' : ''}${little ? 'le' : ''}`
    case 21:
      return little ? 'ppc64le' : 'ppc64'
    case 22:
      return wide ? 's390x' : '22'
    case RISCV:
      return wide ? 'riscv64' : 'riscv32'
    case 258:
      return wide ? 'loong64' : '258'
    default:
      return MACHINES.get(machine) ?? String(machine)
  }
}

export const ELF_TYPES = ['exec', 'dyn', 'rel', 'core', 'other'] as const
export type ElfType = (typeof ELF_TYPES)[number]

const FILE_TYPES = new Map<number, ElfType>([
  [1, 'rel'],
  [2, 'exec'],
  [3, 'dyn'],
  [4, 'core'],
])

export function elfTypeName({ type }: ElfHeader): ElfType {
  return FILE_TYPES.get(type) ?? 'other'
}
