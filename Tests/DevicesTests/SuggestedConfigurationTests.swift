import Camera
import Configuration
import Testing

@testable import Devices

@Suite("The suggested configuration")
struct SuggestedConfigurationTests {
  static let machine = SuggestedConfiguration.Machine(base: "/home/me/lapel", isBaseMeasured: true, canLockMemory: true)

  func load(_ inventory: DeviceInventory, _ machine: SuggestedConfiguration.Machine = machine) throws
    -> RecorderConfiguration
  {
    let text = SuggestedConfiguration(inventory, machine: machine).text
    return try LoadedConfiguration.load([.file(name: "lapel.toml", text: text)]).values
  }

  @Test("nothing there: the made-up camera and microphone, and it is valid as printed")
  func nothing() throws {
    let values = try load(DeviceInventory())
    #expect(values.camera.source == .synthetic && values.microphone.source == .synthetic)
    #expect(values.store.path == "/home/me/lapel/store" && values.identity.path == "/home/me/lapel/identity")
    #expect(!values.store.isLabStore && !values.memory.allowsSwap)
  }

  @Test("a desk: its camera and microphone by names that stay; what depends on wiring is a comment")
  func desk() throws {
    let values = try load(SampleMachine.desk)
    #expect(values.camera.source == .v4l2)
    #expect(values.camera.device == "/dev/v4l/by-id/usb-Vendor_HD_Webcam-video-index0")
    #expect(values.camera.width == 1_280 && values.camera.height == 720 && values.camera.framesPerSecond == 30)
    #expect(values.microphone.device == "hw:CARD=Device,DEV=0" && values.microphone.channels == 1)
    #expect(values.buttons.record.isEmpty && values.radio.adapter.isEmpty)
    let text = SuggestedConfiguration(SampleMachine.desk, machine: Self.machine).text
    #expect(text.contains("# record = \"gpio:pinctrl-bcm2711:SDA1\""))
    #expect(text.contains("# adapter = \"01:23:45:67:89:AB\""))
  }

  @Test("a bare sensor is passed over; a camera without a microphone has no made-up sound")
  func sensor() throws {
    var inventory = DeviceInventory()
    inventory.cameras = [SampleMachine.entry(SampleMachine.sensor)]
    #expect(try load(inventory).camera.source == .synthetic)
    inventory.cameras.append(SampleMachine.entry(SampleMachine.camera("/dev/video2")))
    let values = try load(inventory)
    #expect(values.camera.device == "usb-0000:00:14.0-2" && values.microphone.source == .none)
  }

  @Test("a camera that nobody has goes before one that is in use")
  func free() throws {
    var inventory = DeviceInventory()
    inventory.cameras = [
      SampleMachine.entry(SampleMachine.camera("/dev/video0", bus: "usb-1"), users: ["lapel (812)"]),
      SampleMachine.entry(SampleMachine.camera("/dev/video2", bus: "usb-2")),
    ]
    #expect(try load(inventory).camera.device == "usb-2")
  }

  @Test("a microphone that only has stereo is asked for stereo, and one of another rate is converted")
  func sound() throws {
    var inventory = DeviceInventory()
    inventory.microphones = [SampleMachine.microphone(SampleMachine.stereoSound)]
    #expect(try load(inventory).microphone.channels == 2)
    inventory.microphones = [SampleMachine.microphone(SampleMachine.slowSound)]
    #expect(try load(inventory).microphone.device == "plughw:CARD=Device,DEV=0")
  }

  @Test("a card that can be taken out is the store; one that is unmeasured, read-only or not ours is not")
  func card() throws {
    var inventory = DeviceInventory()
    func entry(
      at mountPoint: String = "/media/card", measured: Bool = true, writable: Bool = true, readOnly: Bool = false
    ) -> DeviceInventory.StoreEntry {
      DeviceInventory.StoreEntry(
        mountPoint: mountPoint, fileSystem: "ext4", source: "/dev/mmcblk0p1", isRemovable: true,
        isReadOnly: readOnly,
        isMeasured: measured, isWritable: writable)
    }
    for bad in [entry(at: "/"), entry(measured: false), entry(writable: false), entry(readOnly: true)] {
      inventory.stores = [bad]
      #expect(try load(inventory).store.path == "/home/me/lapel/store")
    }
    inventory.stores = [entry()]
    #expect(try load(inventory).store.path == "/media/card/lapel")
  }

  @Test("a machine that is no camera says what is given up: lab_store and allow_swap")
  func limits() throws {
    let values = try load(
      DeviceInventory(),
      SuggestedConfiguration.Machine(base: "/tmp/a \"b\"\\c", isBaseMeasured: false, canLockMemory: false))
    #expect(values.store.isLabStore && values.memory.allowsSwap)
    #expect(values.store.path == "/tmp/a \"b\"\\c/store")
  }

  @Test("the rate counts before the size, up to 720p30; odd and huge sizes are none")
  func modes() throws {
    let exact = SampleMachine.exact
    func mode(_ sizes: [SizeOffer], _ format: PixelFormat = .yuyv) -> String? {
      SuggestedConfiguration.mode(of: [FormatOffer(pixelFormat: format, sizes: sizes)]).map {
        "\($0.size)@\($0.framesPerSecond)"
      }
    }
    let slow: SizeOffer.Rates = .list([FrameRate(perSecond: 5)])
    #expect(mode([exact(640, 480, SampleMachine.rates), exact(1_280, 720, slow)]) == "640x480@30")
    #expect(mode([exact(1_920, 1_080, SampleMachine.rates), exact(641, 481, SampleMachine.rates)]) == nil)
    #expect(mode([exact(320, 240, slow)]) == "320x240@5")
    let ntsc = try #require(FrameRate(frames: 30_000, seconds: 1_001))
    #expect(mode([exact(640, 480, .list([ntsc]))]) == "640x480@30")
    let range = SizeOffer(
      extent: .range(
        smallest: FrameSize(width: 32, height: 32), largest: FrameSize(width: 1_024, height: 768),
        step: FrameSize(width: 2, height: 2)), rates: .unknown)
    #expect(mode([range]) == "960x540@30")
    #expect(mode([]) == "640x480@30")
    #expect(mode([exact(640, 480, SampleMachine.rates)], PixelFormat("H264")) == nil)
  }
}
