import Camera
import Core
import Microphone
import Radio
@testable import Triggers

@testable import Devices

/// Machines as the tests need them.
enum SampleMachine {
  static let rates: SizeOffer.Rates = .list([FrameRate(perSecond: 30), FrameRate(perSecond: 15)])

  static func exact(_ width: Int, _ height: Int, _ rates: SizeOffer.Rates = rates) -> SizeOffer {
    SizeOffer(extent: .exact(FrameSize(width: width, height: height)), rates: rates)
  }

  /// Raw pixels as far as USB 2 carries them, JPEG and H.264 beyond.
  static let webcamFormats = [
    FormatOffer(pixelFormat: .mjpeg, sizes: [exact(1_280, 720), exact(1_920, 1_080)]),
    FormatOffer(pixelFormat: .yuyv, sizes: [exact(640, 480), exact(1_280, 720, .list([FrameRate(perSecond: 10)]))]),
    FormatOffer(pixelFormat: PixelFormat("H264"), sizes: [exact(1_920, 1_080)]),
    FormatOffer(pixelFormat: PixelFormat("RGB3"), sizes: []),
  ]

  static func camera(
    _ path: String, card: String = "HD Webcam", bus: String = "usb-0000:00:14.0-2", id: String? = nil,
    place: String? = nil, index: Int? = 0, formats: [FormatOffer] = webcamFormats
  ) -> CameraListing {
    CameraListing(
      path: path, driver: "uvcvideo", card: card, bus: bus, stableName: id, placeName: place, index: index,
      formats: formats)
  }

  static func entry(_ listing: CameraListing, users: [String] = []) -> DeviceInventory.CameraEntry {
    DeviceInventory.CameraEntry(device: listing.deviceName(among: [listing]), listing: listing, users: users)
  }

  static let sensor = camera(
    "/dev/video0", card: "unicam", bus: "platform:3f801000.csi",
    formats: ["RG10", "pRAA"].map { FormatOffer(pixelFormat: PixelFormat($0), sizes: []) })

  static func microphone(_ offer: SoundOffer?, busy: Bool = false) -> DeviceInventory.MicrophoneEntry {
    var listing = MicrophoneListing(
      name: "hw:CARD=Device,DEV=0", numberedName: "hw:1,0", card: "USB PnP Sound", title: "USB Audio")
    listing.isBusy = busy
    return DeviceInventory.MicrophoneEntry(listing: listing, offer: offer)
  }

  static let monoSound = SoundOffer(rates: [44_100, 48_000], formats: ["S16_LE"], channels: 1...1)
  static let stereoSound = SoundOffer(rates: [48_000], formats: ["S16_LE"], channels: 2...2)
  static let slowSound = SoundOffer(rates: [16_000], formats: ["S16_LE"], channels: 1...1)

  static let chip = ButtonListing.Chip(
    path: "/dev/gpiochip0", name: "gpiochip0", label: "pinctrl-bcm2711", lineCount: 58,
    lines: [
      ButtonListing.Line(offset: 2, name: "SDA1", consumer: nil),
      ButtonListing.Line(offset: 42, name: "STATUS_LED", consumer: "led0"),
    ])

  /// A desk on which everything is.
  static var desk: DeviceInventory {
    var inventory = DeviceInventory()
    inventory.cameras = [entry(camera("/dev/video0", id: "usb-Vendor_HD_Webcam-video-index0"))]
    inventory.otherVideo = [
      DeviceInventory.OtherNode(path: "/dev/video1", card: "HD Webcam", what: "metadata, no picture")
    ]
    inventory.encoders = [
      DeviceInventory.EncoderEntry(name: "x264"),
      DeviceInventory.EncoderEntry(
        name: "platform:bcm2835-codec",
        hardware: EncoderListing(
          path: "/dev/video11", driver: "bcm2835-codec", card: "bcm2835-codec-encode", bus: "platform:bcm2835-codec",
          inputs: [.yu12], outputs: [PixelFormat("H264")])),
    ]
    inventory.microphones = [microphone(monoSound)]
    inventory.chips = [chip]
    inventory.inputs = [
      ButtonListing.Input(path: "/dev/input/event3", name: "Presenter", stablePath: nil, keys: ["KEY_PAGEDOWN"])
    ]
    inventory.bluetooth = [
      DeviceInventory.BluetoothEntry(
        adapter: HCIAdapter(
          index: 0, name: "hci0", address: BluetoothAddress(value: 0x0123_4567_89AB, isRandom: false), isUp: true))
    ]
    var battery = SupplyReading(name: "BAT0", kind: .battery)
    battery.percent = 81
    battery.charge = .discharging
    inventory.supplies = [battery]
    inventory.stores = [
      DeviceInventory.StoreEntry(
        mountPoint: "/", fileSystem: "btrfs", source: "/dev/nvme0n1p2", configuredPath: "/var/lib/lapel/store",
        freeBytes: 10_000_000_000, totalBytes: 20_000_000_000)
    ]
    return inventory
  }

  static let rate = FootageRate(bitsPerSecond: 2_032_000, reserveBytes: 64 << 20)
}
