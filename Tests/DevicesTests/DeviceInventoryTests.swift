import Camera
import Foundation
import LinuxIO
import Media
import Radio
import Testing
@testable import Triggers

@testable import Devices

@Suite("What the list says")
struct DeviceInventoryTests {
  @Test("a machine with nothing says so of each kind, and what works without")
  func nothing() {
    let text = DeviceInventory().text(SampleMachine.rate)
    for title in ["Cameras", "Encoders", "Microphones", "GPIO lines", "Keys", "Bluetooth", "Power", "Stores"] {
      #expect(text.split(separator: "\n").contains { $0.hasPrefix(title) }, "\(title)")
    }
    #expect(text.contains("camera.source = \"synthetic\" works without one"))
    #expect(text.contains("microphone.source = \"synthetic\" works without one"))
    #expect(text.components(separatedBy: "\n  n").count - 1 == 8, "\(text)")
  }

  @Test("each device is named as the configuration takes it, with what it offers and where it is now")
  func desk() {
    let text = SampleMachine.desk.text(SampleMachine.rate)
    for part in [
      "  /dev/v4l/by-id/usb-Vendor_HD_Webcam-video-index0\n    HD Webcam, now /dev/video0, driver uvcvideo",
      "MJPG (JPEG by the camera): 1280x720 (30, 15 fps), 1920x1080 (30, 15 fps)",
      "H264 (compressed by the camera): 1920x1080", "not usable: RGB3", "/dev/video1: metadata, no picture (HD Webcam)",
      "x264  H.264 in software", "platform:bcm2835-codec  H.264 in hardware", "takes YU12",
      "  hw:CARD=Device,DEV=0\n    USB PnP Sound, USB Audio, now hw:1,0: 44100, 48000 Hz, S16_LE, 1 channel",
      "gpio:pinctrl-bcm2711:SDA1  line 2, free", "STATUS_LED  line 42, taken by led0", "key:Presenter:KEY_PAGEDOWN",
      "01:23:45:67:89:AB  now hci0", "BAT0  battery, 81 %, discharging",
      "/  btrfs on /dev/nvme0n1p2, where store.path = /var/lib/lapel/store lies: 10.0 GB of 20.0 GB free",
      "store.lab_store = true",
    ] { #expect(text.contains(part), "\(part) in \(text)") }
  }

  @Test("a bare image sensor is listed as such, with libcamerify")
  func sensor() {
    var inventory = DeviceInventory()
    inventory.cameras = [SampleMachine.entry(SampleMachine.sensor)]
    let text = inventory.text(SampleMachine.rate)
    #expect(text.contains("only Bayer data (RG10, pRAA)") && text.contains("libcamerify"))
    #expect(inventory.cameras[0].isBareSensor && !inventory.cameras[0].isUsable)
    #expect(inventory.json(SampleMachine.rate).contains("\"bare_sensor\":true"))
    #expect(!SampleMachine.desk.cameras[0].isBareSensor)
  }

  @Test("a camera that is in use still shows what it offers, and who has it")
  func inUse() {
    var inventory = SampleMachine.desk
    inventory.cameras[0].users = ["lapel (812)"]
    inventory.microphones = [SampleMachine.microphone(nil, busy: true)]
    let text = inventory.text(SampleMachine.rate)
    #expect(text.contains("in use by lapel (812)") && text.contains("1280x720 (30, 15 fps)"))
    #expect(text.contains("hw:1,0: what it offers cannot be asked while it is in use; in use"))
  }

  @Test("a recorder that hides what it has is named, for its camera looks free")
  func hidden() {
    var inventory = SampleMachine.desk
    inventory.hiddenRecorders = ["lapel (812)"]
    #expect(inventory.text(SampleMachine.rate).contains("\nlapel (812) runs and hides"))
    #expect(inventory.json(SampleMachine.rate).contains("\"hidden_recorders\":[\"lapel (812)\"]"))
  }

  @Test("nodes with one cause stand together, under their kind")
  func refused() {
    var inventory = DeviceInventory()
    for number in 0..<3 {
      inventory.refusals.append(
        DeviceInventory.Refusal(
          kind: .input, path: "/dev/input/event\(number)", reason: "not permitted", advice: "Do this."))
    }
    let text = inventory.text(SampleMachine.rate)
    #expect(text.contains("  /dev/input/event0, /dev/input/event1, /dev/input/event2: not permitted. Do this.\n"))
    #expect(!text.contains("no input device with keys"))
  }

  @Test("a name that would steer a terminal does not")
  func hostileNames() {
    var inventory = DeviceInventory()
    inventory.cameras = [SampleMachine.entry(SampleMachine.camera("/dev/video0", card: "\u{1B}[2Jevil\n\u{202E}"))]
    let text = inventory.text(SampleMachine.rate)
    #expect(text.contains("?[2Jevil??"))
    #expect(!inventory.json(SampleMachine.rate).contains("\u{1B}"))
  }

  @Test("the JSON is one object with every list, and numbers where numbers are meant")
  func json() throws {
    let text = SampleMachine.desk.json(SampleMachine.rate)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["version"] as? Int == 1)
    for list in [
      "cameras", "other_video", "encoders", "microphones", "gpio", "inputs", "bluetooth", "power", "stores", "refused",
    ] { #expect(object[list] is [Any], "\(list)") }
    let camera = try #require((object["cameras"] as? [[String: Any]])?.first)
    #expect(camera["device"] as? String == "/dev/v4l/by-id/usb-Vendor_HD_Webcam-video-index0")
    let format = try #require((camera["formats"] as? [[String: Any]])?.first)
    let size = try #require((format["sizes"] as? [[String: Any]])?.first)
    #expect(size["size"] as? [Int] == [1_280, 720] && size["fps"] as? [Double] == [30, 15])
    let store = try #require((object["stores"] as? [[String: Any]])?.first)
    #expect(store["minutes"] as? Int == 651 && store["needs_lab_store"] as? Bool == true)
    let empty = DeviceInventory().json(SampleMachine.rate)
    #expect(try JSONSerialization.jsonObject(with: Data(empty.utf8)) is [String: Any])
  }

  @Test(
    "a chip without a label of its own is named by its number's name, and a line that shares its name by its offset")
  func ambiguousLines() {
    var inventory = DeviceInventory()
    var other = SampleMachine.chip
    other.name = "gpiochip1"
    other.lines = [
      ButtonListing.Line(offset: 0, name: "GPIO", consumer: nil),
      ButtonListing.Line(offset: 1, name: "GPIO", consumer: nil),
      ButtonListing.Line(offset: 2, name: "7", consumer: nil),
      ButtonListing.Line(offset: 3, name: "a:b", consumer: nil),
    ]
    inventory.chips = [other]
    #expect(
      other.lines.map { inventory.configuredName(of: $0, on: other) } == (0..<4).map { "gpio:pinctrl-bcm2711:\($0)" })
    inventory.chips.append(SampleMachine.chip)
    #expect(inventory.configuredName(of: other) == "gpiochip1")
    #expect(inventory.text(SampleMachine.rate).contains("its number may change"))
  }

  @Test("an adapter whose address is not known yet is named by its number's name")
  func unknownAddress() {
    let adapter = HCIAdapter(
      index: 1, name: "hci1", address: BluetoothAddress(value: 0, isRandom: false), isUp: false)
    #expect(DeviceInventory.BluetoothEntry(adapter: adapter).device == "hci1")
    #expect(!adapter.isNamed("00:00:00:00:00:00"))
    #expect(SampleMachine.desk.bluetooth[0].adapter.isNamed("01:23:45:67:89:ab"))
  }
}

@Suite("What is missing")
struct MissingRightTests {
  @Test("a node of a group names the command that makes its user a member")
  func group() {
    let right = MissingRight(path: "/dev/video0", group: "video", mode: 0o660)
    #expect(right.advice(for: .camera).contains("`sudo usermod -aG video $USER`, and log in again"))
    let member = MissingRight(path: "/dev/video0", group: "video", mode: 0o660, isNewMember: true)
    #expect(!member.advice(for: .camera).contains("usermod") && member.advice(for: .camera).contains("log in again"))
  }

  @Test("a node that no group may open names the udev rule that is missing")
  func rule() {
    for (kind, rule) in [
      (DeviceInventory.Refusal.Kind.camera, "SUBSYSTEM==\"video4linux\", GROUP=\"video\""),
      (.microphone, "SUBSYSTEM==\"sound\", GROUP=\"audio\""), (.gpio, "SUBSYSTEM==\"gpio\", GROUP=\"gpio\""),
      (.input, "SUBSYSTEM==\"input\", GROUP=\"input\""),
    ] {
      #expect(MissingRight(path: "/dev/x", group: "root", mode: 0o600).advice(for: kind).contains(rule))
      // A group of its own that has no rights helps nobody.
      #expect(MissingRight(path: "/dev/x", group: "video", mode: 0o600).advice(for: kind).contains(rule))
    }
    #expect(MissingRight(path: "/dev/x", group: "root", mode: 0o660).advice(for: .gpio).contains("mode 0660"))
  }
}

@Suite("Mounted file systems")
struct MountedFileSystemTests {
  static let mountinfo = """
    22 28 0:20 / /proc rw,nosuid - proc proc rw
    28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
    30 28 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw
    40 28 179:1 / /media/my\\040card rw,nosuid shared:9 - f2fs /dev/mmcblk0p1 rw
    41 28 179:2 / /media/photos ro,nosuid - vfat /dev/mmcblk0p2 ro
    50 28 259:2 /var/lib /srv rw - ext4 /dev/nvme0n1p2 rw
    nonsense
    """

  @Test("disks and cards are listed once each, with their kind, and nothing that the system starts from")
  func disks() {
    let disks = MountedFileSystem.disks(in: MountedFileSystem.list(Self.mountinfo))
    #expect(disks.map(\.mountPoint) == ["/", "/media/my card", "/media/photos"])
    #expect(disks.map(\.type) == ["ext4", "f2fs", "vfat"])
    #expect(disks.map(\.isReadOnly) == [false, false, true])
  }

  @Test("a path is on the file system with the longest mount point above it")
  func holding() {
    let all = MountedFileSystem.list(Self.mountinfo)
    #expect(MountedFileSystem.holding("/media/my card/lapel", in: all)?.device == "179:1")
    #expect(MountedFileSystem.holding("/media/my cards", in: all)?.device == "259:2")
    #expect(MountedFileSystem.holding("/", in: all)?.mountPoint == "/")
    #expect(MountedFileSystem.holding("/x", in: []) == nil)
  }
}

@Suite("Questions that are not answered")
struct InquiryTests {
  @Test("an answer comes back, and one that does not come in time is nil")
  func late() {
    #expect(Inquiry("quick") { 7 }.answer(by: .now() + .seconds(60)) == 7)
    let hung = Inquiry("hung") { () -> Int in
      while true { MonotonicTime.sleep(until: .now() + .seconds(1)) }
    }
    #expect(hung.answer(by: .now()) == nil)
  }
}
