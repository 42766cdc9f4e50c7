import Camera
import Control
import Core
import Media
import Microphone
import Radio
import Triggers

extension DeviceInventory {
  /// For machines, on one line; its keys are in Devices.docc/Inventory.md. Pure.
  public func json(_ rate: FootageRate) -> String {
    JSONValue.object([
      ("version", .integer(1)),
      ("cameras", .array(cameras.map(json))),
      (
        "other_video",
        .array(
          otherVideo.map { node in
            .object([("path", .string(node.path)), ("card", .string(node.card)), ("what", .string(node.what))])
          })
      ),
      ("encoders", .array(encoders.map(json))),
      ("microphones", .array(microphones.map(json))),
      ("gpio", .array(chips.map(json))),
      ("inputs", .array(inputs.map(json))),
      ("bluetooth", .array(bluetooth.map(json))),
      ("bluetooth_problem", .optional(bluetoothProblem, JSONValue.string)),
      ("power", .array(supplies.map(json))),
      ("stores", .array(stores.map { json($0, rate) })),
      ("refused", .array(refusals.map(json))),
      ("hidden_recorders", .array(hiddenRecorders.map(JSONValue.string))),
    ]).text
  }

  private func json(_ camera: CameraEntry) -> JSONValue {
    let listing = camera.listing
    return .object([
      ("device", .string(camera.device)), ("path", .string(listing.path)), ("card", .string(listing.card)),
      ("driver", .string(listing.driver)), ("bus", .string(listing.bus)),
      ("by_id", .optional(listing.stableName) { .string("/dev/v4l/by-id/\($0)") }),
      ("by_path", .optional(listing.placeName) { .string("/dev/v4l/by-path/\($0)") }),
      ("usable", .bool(camera.isUsable)), ("bare_sensor", .bool(camera.isBareSensor)),
      ("in_use_by", .array(camera.users.map(JSONValue.string))),
      ("formats", .array(listing.formats.map(json))),
    ])
  }

  private func json(_ offer: FormatOffer) -> JSONValue {
    .object([
      ("format", .string("\(offer.pixelFormat)")),
      ("usable", .bool(PixelFormat.supported.contains(offer.pixelFormat))),
      ("compressed", .bool(offer.pixelFormat.isJPEG || offer.pixelFormat.isCompressedVideo)),
      ("bayer", .bool(offer.pixelFormat.isBayer)), ("sizes", .array(offer.sizes.map(json))),
    ])
  }

  private func json(_ offer: SizeOffer) -> JSONValue {
    func pair(_ size: FrameSize) -> JSONValue { .array([.integer(Int64(size.width)), .integer(Int64(size.height))]) }
    func thousandths(_ rate: FrameRate) -> JSONValue {
      .thousandths(Int64(rate.frames) * 1_000 / Int64(rate.seconds))
    }
    var members: [(String, JSONValue)]
    switch offer.extent {
    case .exact(let size): members = [("size", pair(size))]
    case .range(let smallest, let largest, let step):
      members = [("smallest", pair(smallest)), ("largest", pair(largest)), ("step", pair(step))]
    }
    switch offer.rates {
    case .list(let rates): members.append(("fps", .array(rates.map(thousandths))))
    case .range(let slowest, let fastest):
      members += [("slowest_fps", thousandths(slowest)), ("fastest_fps", thousandths(fastest))]
    case .unknown: break
    }
    return .object(members)
  }

  private func json(_ encoder: EncoderEntry) -> JSONValue {
    .object([
      ("name", .string(encoder.name)), ("hardware", .bool(encoder.hardware != nil)),
      ("path", .optional(encoder.hardware?.path, JSONValue.string)),
      ("card", .optional(encoder.hardware?.card, JSONValue.string)),
      ("driver", .optional(encoder.hardware?.driver, JSONValue.string)),
      ("inputs", .array((encoder.hardware?.inputs ?? []).map { .string("\($0)") })),
      ("outputs", .array((encoder.hardware?.outputs ?? [PixelFormat("H264")]).map { .string("\($0)") })),
    ])
  }

  private func json(_ microphone: MicrophoneEntry) -> JSONValue {
    let listing = microphone.listing
    return .object([
      ("device", .string(microphone.device)), ("number", .string(listing.numberedName)),
      ("card", .string(listing.card)), ("title", .string(listing.title)),
      ("busy", .bool(listing.isBusy)), ("in_use_by", .array(microphone.users.map(JSONValue.string))),
      ("rates", .optional(microphone.offer) { .array($0.rates.map { .integer(Int64($0)) }) }),
      ("formats", .optional(microphone.offer) { .array($0.formats.map(JSONValue.string)) }),
      (
        "channels",
        .optional(microphone.offer) {
          .array([.integer(Int64($0.channels.lowerBound)), .integer(Int64($0.channels.upperBound))])
        }
      ),
    ])
  }

  private func json(_ chip: ButtonListing.Chip) -> JSONValue {
    .object([
      ("chip", .string(configuredName(of: chip))), ("label", .string(chip.label)), ("path", .string(chip.path)),
      ("lines", .integer(Int64(chip.lineCount))),
      (
        "named",
        .array(
          chip.lines.map { line in
            .object([
              ("device", .string(configuredName(of: line, on: chip))), ("name", .string(line.name)),
              ("offset", .integer(Int64(line.offset))), ("taken_by", .optional(line.consumer, JSONValue.string)),
            ])
          })
      ),
    ])
  }

  private func json(_ input: ButtonListing.Input) -> JSONValue {
    .object([
      ("name", .string(input.name)), ("path", .string(input.path)),
      ("by_id", .optional(input.stablePath, JSONValue.string)), ("keys", .array(input.keys.map(JSONValue.string))),
    ])
  }

  private func json(_ entry: BluetoothEntry) -> JSONValue {
    .object([
      ("device", .string(entry.device)), ("name", .string(entry.adapter.name)),
      ("address", .optional(entry.adapter.hasAddress ? entry.adapter.address.description : nil, JSONValue.string)),
      ("up", .bool(entry.adapter.isUp)),
    ])
  }

  private func json(_ supply: SupplyReading) -> JSONValue {
    .object([
      ("name", .string(supply.name)), ("kind", .string(supply.kind == .battery ? "battery" : "external")),
      ("present", .bool(supply.isPresent)), ("online", .optional(supply.isOnline, JSONValue.bool)),
      ("percent", .optional(supply.percent) { .integer(Int64($0)) }),
      ("charge", .optional(supply.charge) { .string($0.words) }),
      ("minutes_left", .optional(supply.timeLeft) { .integer($0.count / 60_000_000_000) }),
    ])
  }

  private func json(_ store: StoreEntry, _ rate: FootageRate) -> JSONValue {
    .object([
      ("mount_point", .string(store.mountPoint)), ("file_system", .string(store.fileSystem)),
      ("source", .string(store.source)), ("store_path", .optional(store.configuredPath, JSONValue.string)),
      ("removable", .bool(store.isRemovable)), ("read_only", .bool(store.isReadOnly)),
      ("needs_lab_store", .bool(!store.isMeasured)), ("writable", .bool(store.isWritable)),
      ("free_bytes", .optional(store.freeBytes, JSONValue.integer)),
      ("total_bytes", .optional(store.totalBytes, JSONValue.integer)),
      ("minutes", .optional(store.freeBytes) { .integer(rate.minutes(in: $0)) }),
    ])
  }

  private func json(_ refusal: Refusal) -> JSONValue {
    .object([
      ("kind", .string(refusal.kind.rawValue)), ("path", .string(refusal.path)), ("reason", .string(refusal.reason)),
      ("advice", .string(refusal.advice)),
    ])
  }
}
