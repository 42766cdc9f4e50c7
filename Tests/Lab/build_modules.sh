# Part of `run`: kernel modules that Debian does not build, made out of tree from its own source for the guest's kernel.
# A job that needs them says so in a line of its own:  # lab: built gpio-sim
#
# shellcheck shell=bash disable=SC2154 # cache, kernel and the functions are run's
#
# Costs once 153 MB of downloads, some 10 s of unpacking and 4 s of compiling; 0.7 MB stay in the cache.

# build_module NAME: modules/<kernel release>/NAME.ko in the cache, which guest.sh's `load` prefers.
build_module() {
  local name=$1 directory=$cache/modules/$kernel work=$cache/modules.part
  [ -e "$directory/$name.ko" ] && return
  # A kernel that has it needs nothing built.
  modprobe -d "$cache/kernel" -S "$kernel" --show-depends "$name" >/dev/null 2>&1 && return
  say "building $name for $kernel"
  rm -rf "$work" && mkdir -p "$work/$name" "$directory"
  download_headers "$work/headers"
  "unpack_${name//-/_}" "$work/$name"
  make -C "$work/headers/usr/src/linux-headers-$kernel" M="$work/$name" modules >"$cache/$name.log" 2>&1 ||
    unavailable "$name does not compile for $kernel, see $cache/$name.log"
  # Those that it needs and that Debian does not build either come with it.
  mv "$work/$name"/*.ko "$directory/"
  rm -rf "$work"
}

# The kernel's headers and its build programs, at a place that is not theirs.
download_headers() {
  local tree=$1 package release=${kernel%-*} version=${kernel%%-*}
  mkdir -p "$tree"
  # Of the kernel 6.1.0-56-amd64 this is linux-kbuild-6.1.
  for package in "linux-headers-$kernel" "linux-headers-$release-common" "linux-kbuild-${version%.0}"; do
    download "$package" "$tree.package"
    cp -a "$tree.package/." "$tree" && rm -rf "$tree.package"
  done
  sed -i "s|include /usr/src|include $tree/usr/src|" "$tree/usr/src/linux-headers-$kernel/Makefile"
}

# unpack_source DIRECTORY FILE…: these files of the kernel's source.
unpack_source() {
  local target=$1 series archive
  shift
  series=$(cut -d . -f 1-2 <<<"$kernel")
  download "linux-source-$series" "$target.package"
  archive=$target.package/usr/src/linux-source-$series.tar.xz
  # tar stops at the last file that it was asked for; xz then has nobody to write to.
  { xz -dc "$archive" 2>/dev/null || true; } | tar -x -C "$target" --occurrence=1 "${@/#/linux-source-$series/}" ||
    unavailable "$archive holds no $*"
  find "$target" -type f -exec mv -t "$target" {} +
  rm -rf "$target.package"
}

# A battery and mains whose levels are module parameters.
unpack_test_power() {
  unpack_source "$1" drivers/power/supply/test_power.c
  printf 'obj-m := test_power.o\n' >"$1/Makefile"
}

# A GPIO chip whose lines are moved through sysfs. It needs the interrupts of irq_sim.c, which is no module by itself, and
# uses a function there that the kernel does not export; the one it does export does the same.
unpack_gpio_sim() {
  unpack_source "$1" drivers/gpio/gpio-sim.c drivers/gpio/gpiolib.h kernel/irq/irq_sim.c
  mv "$1/gpio-sim.c" "$1/chip.c"
  sed -i 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/' "$1/irq_sim.c"
  printf 'obj-m := gpio-sim.o\ngpio-sim-y := chip.o irq_sim.o\n' >"$1/Makefile"
}

# The kernel's virtual encoder and decoder, and the frame of all memory-to-memory drivers below it (v4l2-mem2mem).
unpack_vicodec() {
  local codec=drivers/media/test-drivers/vicodec
  unpack_source "$1" drivers/media/v4l2-core/v4l2-mem2mem.c "$codec/vicodec-core.c" "$codec/codec-fwht.c" "$codec/codec-fwht.h" \
    "$codec/codec-v4l2-fwht.c" "$codec/codec-v4l2-fwht.h"
  printf 'obj-m := v4l2-mem2mem.o vicodec.o\nvicodec-y := vicodec-core.o codec-fwht.o codec-v4l2-fwht.o\n' >"$1/Makefile"
}
