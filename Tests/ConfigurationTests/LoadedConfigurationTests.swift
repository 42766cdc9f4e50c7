import Configuration
import Media
import Testing

@Suite("Layers of configuration")
struct LoadedConfigurationTests {
  /// What is wrong with one file, a line each.
  private func problems(_ text: String, _ assignments: [String] = []) -> [String] {
    do {
      _ = try LoadedConfiguration.load([.file(name: "lapel.toml", text: text), .commandLine(assignments)])
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test("Without layers the built-in values hold, on the synthetic devices, and fit together")
  func builtIn() throws {
    let loaded = try LoadedConfiguration.load([])
    #expect(loaded.values == RecorderConfiguration())
    #expect(loaded.values.camera.source == .synthetic && loaded.values.microphone.source == .synthetic)
    #expect(ConfigurationSchema.keys.allSatisfy { loaded.origin(of: $0.path) == .builtIn })
    #expect(loaded.values.validate().isEmpty)
  }

  @Test("Of each key the last layer that gives it wins, and its origin is remembered")
  func layers() throws {
    let loaded = try LoadedConfiguration.load([
      .boardProfile(
        name: "board.toml", text: "[video]\nencoder = \"openh264\"\nthreads = 2\nbitrate_kbps = 1000\n"),
      .file(name: "lapel.toml", text: "video.threads = 3\n[recording]\npre_event_s = 15\nsegment_s = 20\n"),
      .commandLine(["recording.segment_s=30", "camera.device=/dev/video2", "recording.segment_s=10"]),
    ])
    #expect(loaded.values.video.encoder == .openh264)
    #expect(loaded.values.video.threads == 3)
    #expect(loaded.values.video.bitsPerSecond == 1_000_000)
    #expect(loaded.values.recording.preEvent == .seconds(15))
    #expect(loaded.values.recording.segment == .seconds(10))
    #expect(loaded.values.camera.device == "/dev/video2")
    #expect(loaded.origin(of: "video.encoder") == .boardProfile(name: "board.toml", line: 2))
    #expect(loaded.origin(of: "video.threads") == .file(name: "lapel.toml", line: 1))
    #expect(loaded.origin(of: "recording.pre_event_s") == .file(name: "lapel.toml", line: 3))
    #expect(loaded.origin(of: "recording.segment_s") == .commandLine)
    #expect(loaded.origin(of: "log.level") == .builtIn)
  }

  @Test("An unknown key is an error with its line, the nearest known key, and the keys of its section")
  func unknownKeys() {
    #expect(
      problems("\n[log]\nlevle = \"info\"\n") == [
        "lapel.toml:3: log.levle: unknown key; did you mean log.level?; allowed: in [log] level"
      ])
    #expect(
      problems("video.fps = 30").first?.hasPrefix(
        "lapel.toml:1: video.fps: unknown key; did you mean camera.fps?; allowed: in [video] path, passthrough_peak_kbps, encoder, "
          + "encoder_device,")
        == true)
    #expect(problems("[recroding]").first?.contains("unknown section; did you mean [recording]?") == true)
    #expect(problems("pre_event_s = 3").first?.contains("did you mean recording.pre_event_s?") == true)
    #expect(problems("[zzzzzzzzzz]\na = 1\nb = 2").count == 1)
    #expect(problems("[zzzzzzzzzz]").first?.contains("did you mean") == false)
    #expect(problems("[\"camera.fps\"]").count == 1)
    #expect(problems("[camera]\n\"fps.x\" = 1").count == 1)
    #expect(
      problems("[camera.fps]\nx = 1") == [
        "lapel.toml:1: camera.fps: a table, not an integer; allowed: 1 to 120 frames/s"
      ])
  }

  @Test("A wrong type is an error that says what is allowed")
  func wrongTypes() {
    #expect(
      problems("[video]\nbitrate_kbps = \"fast\"") == [
        "lapel.toml:2: video.bitrate_kbps: \"fast\" is a string, not an integer; allowed: 100 to 50000 kbit/s"
      ])
    #expect(
      problems("video.threads = 2.0") == [
        "lapel.toml:1: video.threads: a floating-point number, not an integer; allowed: 1 to 4 threads"
      ])
    #expect(
      problems("memory.allow_swap = 1") == [
        "lapel.toml:1: memory.allow_swap: 1 is an integer, not a boolean; allowed: true or false"
      ])
    #expect(
      problems("log.level = [\"info\"]").first?.hasPrefix("lapel.toml:1: log.level: an array, not a string") == true)
    #expect(
      problems("camera = 1") == ["lapel.toml:1: camera: an integer where a table belongs; write [camera]"])
    #expect(
      problems("[[camera]]\nfps = 1") == ["lapel.toml:1: camera: an array where a table belongs; write [camera]"])
  }

  @Test("A value that is not allowed is an error that says what is")
  func refusedValues() {
    #expect(
      problems("recording.pre_event_s = 121") == [
        "lapel.toml:1: recording.pre_event_s: 121 is out of range; allowed: 0 to 120 s"
      ])
    #expect(
      problems("camera.width = 641") == [
        "lapel.toml:1: camera.width: 641 is not a multiple of 2; allowed: 64 to 3840 pixels, a multiple of 2"
      ])
    #expect(
      problems("video.encoder = \"vp8\"") == [
        "lapel.toml:1: video.encoder: \"vp8\" is not one of them; allowed: \"x264\", \"openh264\", \"v4l2\""
      ])
    #expect(problems("store.path = \"store\"").first?.contains("is not an absolute path") == true)
    #expect(problems("store.path = \"/a/../b\"").first?.contains("holds \"..\"") == true)
    #expect(problems("camera.device = \"a\\u001bb\"").first?.contains("holds a control character") == true)
    #expect(problems("control.socket = \"/\(String(repeating: "x", count: 107))\"").count == 1)
    #expect(problems("control.socket = \"/\(String(repeating: "x", count: 106))\"").isEmpty)
    #expect(problems("store.reserve_mib = 9223372036854775807").count == 1)
  }

  @Test("All errors of all layers come at once, in the order of their lines")
  func allAtOnce() {
    let found = problems(
      "[video]\nthreads = 9\nencoder = 1\n[audio]\nbitrate_kpbs = 1\n[aaa]\n", ["video.gop_ms=1", "nonsense"])
    #expect(
      found.map { $0.prefix { $0 != " " } } == [
        "lapel.toml:2:", "lapel.toml:3:", "lapel.toml:5:", "lapel.toml:6:", "command", "command",
      ])
  }

  @Test(
    "Text that is not TOML is an error with the parser's line", arguments: ["[video]\nthreads = \n", "a = 1\na = 2"])
  func syntax(text: String) {
    let found = problems(text, ["log.level=loud"])
    #expect(found.count == 2)
    #expect(found.first?.hasPrefix("lapel.toml:2: not TOML: ") == true)
  }

  @Test("A NUL does not cut a value short: it is an error")
  func nul() {
    #expect(
      problems("[store]\npath = \"/a\\u0000/b\"") == ["lapel.toml:2: store.path: holds a NUL character; remove it"])
  }

  @Test("Assignments on the command line take text without quotes and are checked like a file")
  func commandLine() throws {
    let loaded = try LoadedConfiguration.load([
      .commandLine(["microphone.device=hw:1,0=x", "recording.pre_event_audio=true", "audio.offset_ms=-40"])
    ])
    #expect(loaded.values.microphone.device == "hw:1,0=x")
    #expect(loaded.values.recording.hasPreEventAudio)
    #expect(loaded.values.audio.offset == .milliseconds(-40))
    #expect(
      problems("", ["video.threads=two"]) == [
        "command line: video.threads: \"two\" is not an integer; allowed: 1 to 4 threads"
      ])
    #expect(problems("", ["video.threads"]).first?.contains("write --set section.key=value") == true)
    #expect(problems("", ["video.thread=2"]).first?.contains("did you mean video.threads?") == true)
    #expect(problems("", ["=", "", ".", "video.=1"]).count == 4)
  }

  @Test(
    "Values that do not fit together are an error that names both keys",
    arguments: [
      ("camera.source = \"v4l2\"", ["camera.device", "camera.source"]),
      ("camera.width = 3840\ncamera.height = 3840", ["camera.width", "camera.height"]),
      ("camera.controls = \"brightness=1\"", ["camera.controls", "camera.source"]),
      ("camera.controls = \"brightness\"", ["camera.controls"]),
      ("microphone.source = \"alsa\"\nmicrophone.device = \"\"", ["microphone.device", "microphone.source"]),
      ("camera.source = \"file\"\ncamera.device = \"/a\"", ["camera.source", "video.path"]),
      ("camera.format = \"h264\"", ["camera.format", "video.path"]),
      ("video.path = \"passthrough\"\ncamera.format = \"mjpeg\"", ["video.path", "camera.source"]),
      (
        "video.path = \"passthrough\"\ncamera.source = \"v4l2\"\ncamera.device = \"/dev/video0\"",
        ["video.path", "camera.format"]
      ),
      (
        "video.path = \"passthrough\"\ncamera.source = \"v4l2\"\ncamera.device = \"/dev/video0\"\ncamera.format = \"yuyv\"",
        ["video.path", "camera.format"]
      ),
      (
        "video.path = \"passthrough\"\ncamera.source = \"file\"\ncamera.format = \"mjpeg\"",
        ["camera.device", "camera.source"]
      ),
      ("video.peak_kbps = 1999", ["video.peak_kbps", "video.bitrate_kbps"]),
      ("recording.segment_s = 5\nvideo.gop_ms = 4000", ["recording.segment_s", "video.gop_ms"]),
      (
        "recording.pre_event_audio = true\nmicrophone.source = \"none\"",
        ["recording.pre_event_audio", "microphone.source"]
      ),
      ("buttons.start = \"hold\"", ["buttons.start", "buttons.stop"]),
      ("buttons.mark = \"double\"", ["buttons.start", "buttons.stop", "buttons.mark"]),
      ("buttons.mark = \"hold\"", ["buttons.start", "buttons.stop", "buttons.mark"]),
      ("buttons.longest_press_ms = 50\nbuttons.debounce_ms = 50", ["buttons.longest_press_ms", "buttons.debounce_ms"]),
      ("buttons.double_gap_ms = 100\nbuttons.debounce_ms = 100", ["buttons.double_gap_ms", "buttons.debounce_ms"]),
      ("buttons.hold_ms = 1000", ["buttons.hold_ms", "buttons.longest_press_ms"]),
      (
        "buttons.record = \"gpio:a:1\"\nrecording.edge_to_decision_s = 1",
        [
          "recording.edge_to_decision_s", "buttons.start", "buttons.longest_press_ms", "buttons.double_gap_ms",
          "buttons.hold_ms",
        ]
      ),
      ("signs.recording = \"red sometimes\"", ["signs.recording"]),
      ("signs.cue_marked = \"tone 100/100\"", ["signs.cue_marked"]),
      // The lights of *ready* would be those of *recording*.
      ("signs.ready = \"red on\"", ["signs.ready"]),
      ("radio.adapter = \"01:23:45:67:89\"", ["radio.adapter"]),
      ("radio.adapter = \"01:23:45:67:89:AX\"", ["radio.adapter"]),
      ("power.critical_percent = 20", ["power.critical_percent", "power.low_percent"]),
      ("power.battery = \"\"", ["power.battery"]), ("power.battery = \"../x\"", ["power.battery"]),
      ("store.path = \"/a/b\"\nidentity.path = \"/a//b/./c/\"", ["identity.path", "store.path"]),
      ("store.path = \"/a/b\"\nidentity.path = \"/a\"", ["identity.path", "store.path"]),
    ])
  func together(text: String, keys: [String]) {
    let error = #expect(throws: ConfigurationError.self) {
      try LoadedConfiguration.load([.file(name: "lapel.toml", text: text)])
    }
    #expect(error?.problems.map(\.keys) == [keys])
    for key in keys { #expect(error?.description.contains(key) == true) }
    #expect(error?.description.contains("is from lapel.toml:") == true)
  }

  @Test(
    "Values at the edge of fitting together are accepted",
    arguments: [
      "camera.source = \"v4l2\"\ncamera.device = \"/dev/video0\"", "video.peak_kbps = 2000",
      "radio.adapter = \"01:23:45:67:89:ab\"",
      "recording.segment_s = 8\nvideo.gop_ms = 4000",
      "video.path = \"passthrough\"\ncamera.source = \"v4l2\"\ncamera.device = \"/dev/video0\"\ncamera.format = \"h264\"",
      // The encoder's own figures mean nothing then.
      "video.path = \"passthrough\"\ncamera.source = \"file\"\ncamera.device = \"/a\"\ncamera.format = \"mjpeg\"\n"
        + "video.peak_kbps = 100",
      "store.path = \"/a/b\"\nidentity.path = \"/a/bc\"", "microphone.source = \"none\"",
      "buttons.double_gap_ms = 101\nbuttons.debounce_ms = 100",
      "buttons.start = \"press\"\nbuttons.mark = \"none\"\nbuttons.double_gap_ms = 50\nbuttons.debounce_ms = 100",
      "buttons.hold_ms = 1001", "buttons.mark = \"none\"", "buttons.start = \"press\"\nbuttons.mark = \"double\"",
      "buttons.record = \"gpio:a:1\"\nrecording.edge_to_decision_s = 2",
      "signs.ready = \"green 50/950\"\nsigns.low_storage = \"blue 60/60x5\"", "signs.cue_marked = \"\"",
      "power.critical_percent = 19", "power.battery = \"none\"", "power.battery = \"axp20x-battery\"",
      // Without a button its gestures ask nothing of the ring.
      "recording.edge_to_decision_s = 0",
    ])
  func edge(text: String) { #expect(problems(text).isEmpty) }

  @Test("The ring holds pre-event, edge to decision, two GOPs and the stall reserve")
  func ringDuration() {
    #expect(RecorderConfiguration().ringDuration == .seconds(30 + 5 + 2 + 10))
  }
}
