public import Camera
public import Core
public import Microphone
public import Radio
public import Triggers

/// Everything on this machine that a recorder could use, as it was at one moment; a value. `InventoryReader` makes it.
///
/// Each device has the name under which the configuration takes it, one that stays where there is one.
public struct DeviceInventory: Hashable, Sendable {
  public struct CameraEntry: Hashable, Sendable {
    /// For `camera.device`.
    public var device: String
    public var listing: CameraListing
    /// Programs that have its node open, as far as this user may know: `lapel (812)`.
    public var users: [String]

    public init(device: String, listing: CameraListing, users: [String] = []) {
      self.device = device
      self.listing = listing
      self.users = users
    }

    /// A bare image sensor: it gives only Bayer data, of which an image pipeline must first make pictures.
    public var isBareSensor: Bool {
      !listing.formats.isEmpty && listing.formats.allSatisfy { $0.pixelFormat.isBayer }
    }
    /// Whether the recorder can convert at least one of its formats.
    public var isUsable: Bool { listing.formats.contains { PixelFormat.supported.contains($0.pixelFormat) } }
  }

  public struct EncoderEntry: Hashable, Sendable {
    /// A library's name as in `video.encoder`, or the bus address of a hardware encoder.
    public var name: String
    /// Nil: a library in this program.
    public var hardware: EncoderListing?

    public init(name: String, hardware: EncoderListing? = nil) {
      self.name = name
      self.hardware = hardware
    }
  }

  public struct MicrophoneEntry: Hashable, Sendable {
    /// For `microphone.device`.
    public var device: String
    public var listing: MicrophoneListing
    /// Nil while others have it.
    public var offer: SoundOffer?
    public var users: [String]

    public init(listing: MicrophoneListing, offer: SoundOffer?, users: [String] = []) {
      // What `hw:` does not do itself ALSA converts under `plughw:`.
      let suits = offer.map { $0.suits(channels: 1) || $0.suits(channels: 2) } ?? true
      device = suits ? listing.name : listing.name.replacingPrefix("hw:", with: "plughw:")
      self.listing = listing
      self.offer = offer
      self.users = users
    }
  }

  public struct BluetoothEntry: Hashable, Sendable {
    /// For `radio.adapter`: the address where it is known.
    public var device: String { adapter.hasAddress ? adapter.address.description : adapter.name }
    public var adapter: HCIAdapter

    public init(adapter: HCIAdapter) { self.adapter = adapter }
  }

  /// A file system on which recordings could lie.
  public struct StoreEntry: Hashable, Sendable {
    /// Where it is mounted.
    public var mountPoint: String
    /// `ext4`; what the kernel mounted it as.
    public var fileSystem: String
    /// `/dev/mmcblk0p2`; `overlay` and the like for those without a disk.
    public var source: String
    /// `store.path`, where that lies on it.
    public var configuredPath: String?
    /// It can be taken out: an SD card, a USB stick.
    public var isRemovable: Bool
    public var isReadOnly: Bool
    /// The loss bound was measured on such a file system; a store on another needs `store.lab_store`.
    public var isMeasured: Bool
    /// This user may make files at the mount point.
    public var isWritable: Bool
    /// Bytes that this user may write; nil when it did not answer in time.
    public var freeBytes: Int64?
    public var totalBytes: Int64?

    public init(
      mountPoint: String, fileSystem: String, source: String, configuredPath: String? = nil, isRemovable: Bool = false,
      isReadOnly: Bool = false, isMeasured: Bool = false, isWritable: Bool = false, freeBytes: Int64? = nil,
      totalBytes: Int64? = nil
    ) {
      self.mountPoint = mountPoint
      self.fileSystem = fileSystem
      self.source = source
      self.configuredPath = configuredPath
      self.isRemovable = isRemovable
      self.isReadOnly = isReadOnly
      self.isMeasured = isMeasured
      self.isWritable = isWritable
      self.freeBytes = freeBytes
      self.totalBytes = totalBytes
    }
  }

  /// A video node that is nothing of the above.
  public struct OtherNode: Hashable, Sendable {
    public var path: String
    public var card: String
    /// `metadata, no picture`.
    public var what: String

    public init(path: String, card: String, what: String) {
      self.path = path
      self.card = card
      self.what = what
    }
  }

  /// A node that is there and cannot be used now.
  public struct Refusal: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
      case camera, microphone, gpio, input
    }
    public var kind: Kind
    public var path: String
    /// `not permitted`, `no answer`, or the kernel's words.
    public var reason: String
    /// What to do; whole sentences.
    public var advice: String

    public init(kind: Kind, path: String, reason: String, advice: String) {
      self.kind = kind
      self.path = path
      self.reason = reason
      self.advice = advice
    }
  }

  public var cameras: [CameraEntry] = []
  public var otherVideo: [OtherNode] = []
  public var encoders: [EncoderEntry] = []
  public var microphones: [MicrophoneEntry] = []
  public var chips: [ButtonListing.Chip] = []
  public var inputs: [ButtonListing.Input] = []
  public var bluetooth: [BluetoothEntry] = []
  /// Why no adapter can be listed; nil when the kernel answered.
  public var bluetoothProblem: String?
  public var supplies: [SupplyReading] = []
  public var stores: [StoreEntry] = []
  public var refusals: [Refusal] = []
  /// Recorders that run and do not let this user see which devices they have: `lapel (812)`.
  public var hiddenRecorders: [String] = []

  public init() {}

  /// The chip's name in `gpio:CHIP:LINE`: its label, or where two chips have one label, or it has none, its number's name.
  public func configuredName(of chip: ButtonListing.Chip) -> String {
    chip.label.isEmpty || chips.filter { $0.label == chip.label }.count > 1 ? chip.name : chip.label
  }

  /// The line's part of that name: its own name where no other line of the chip has it and it holds no colon, else its offset.
  public func configuredName(of line: ButtonListing.Line, on chip: ButtonListing.Chip) -> String {
    let isItsOwn = chip.lines.filter { $0.name == line.name }.count == 1
    let isNumber = line.name.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let place = isItsOwn && !isNumber && !line.name.contains(":") ? line.name : "\(line.offset)"
    return "gpio:\(configuredName(of: chip)):\(place)"
  }
}

extension String {
  func replacingPrefix(_ prefix: String, with other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
